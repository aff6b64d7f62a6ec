//! What the pages say, in four languages.

use crate::users::User;

/// Every text of the pages.
pub(crate) struct Texts {
    pub(crate) code: &'static str,
    pub(crate) banner: &'static str,
    pub(crate) identify: &'static str,
    pub(crate) who: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) documents: &'static str,
    pub(crate) policy: &'static str,
    pub(crate) commitment: &'static str,
    pub(crate) role: &'static str,
    pub(crate) icon_here: &'static str,
    pub(crate) app: &'static str,
    pub(crate) icon_this: &'static str,
    pub(crate) icon_question: &'static str,
    pub(crate) confirm: &'static str,
    pub(crate) refuse: &'static str,
    pub(crate) gone: &'static str,
    pub(crate) icons: [&'static str; 3],
    pub(crate) wrong_icon: &'static str,
    pub(crate) back: &'static str,
    habits: [&'static str; User::ALL.len()],
}

impl Texts {
    /// What a user is known for.
    pub(crate) fn habit(&self, user: User) -> &'static str {
        let mut habits = User::ALL.into_iter().zip(self.habits);
        habits.find(|(other, _)| *other == user).map_or("", |(_, habit)| habit)
    }
}

pub(crate) fn texts(lang: &str) -> &'static Texts {
    match lang {
        "FR" => &FR,
        "NL" => &NL,
        "DE" => &DE,
        _ => &EN,
    }
}

const EN: Texts = Texts {
    code: "en",
    banner: "SANDBOX: this is not itsme®, and nothing signed here has legal value.",
    identify: "Identify yourself",
    who: "Choose a test user",
    go_on: "Continue",
    sign: "Confirm your signature",
    documents: "Documents to sign",
    policy: "Signature policy",
    commitment: "Commitment",
    role: "Your role",
    icon_here: "Your icon on this page",
    app: "Stand-in for the app",
    icon_this: "this one",
    icon_question: "Which icon is marked on the page?",
    confirm: "Confirm",
    refuse: "Refuse",
    gone: "This session does not exist or has ended.",
    icons: ["circle", "triangle", "square"],
    wrong_icon: "That was the wrong icon: the request is refused.",
    back: "Back to the organisation",
    habits: [
        "has a certificate and confirms",
        "has no certificate yet; it is created",
        "is not allowed to sign",
        "refuses the identification",
        "never answers the identification",
        "refuses to sign",
        "never answers a signature",
        "takes some seconds over everything",
        "renews the certificate before signing",
    ],
};

const FR: Texts = Texts {
    code: "fr",
    banner: "SANDBOX : ceci n'est pas itsme®, et rien de ce qui est signé ici n'a de valeur légale.",
    identify: "Identifiez-vous",
    who: "Choisissez un utilisateur de test",
    go_on: "Continuer",
    sign: "Confirmez votre signature",
    documents: "Documents à signer",
    policy: "Politique de signature",
    commitment: "Engagement",
    role: "Votre rôle",
    icon_here: "Votre icône sur cette page",
    app: "À la place de l'application",
    icon_this: "celle-ci",
    icon_question: "Quelle icône est marquée sur la page ?",
    confirm: "Confirmer",
    refuse: "Refuser",
    gone: "Cette session n'existe pas ou est terminée.",
    icons: ["cercle", "triangle", "carré"],
    wrong_icon: "Ce n’était pas la bonne icône : la demande est refusée.",
    back: "Retour à l’organisation",
    habits: [
        "a un certificat et confirme",
        "n’a pas encore de certificat ; il est créé",
        "n’est pas autorisé à signer",
        "refuse l’identification",
        "ne répond jamais à l’identification",
        "refuse de signer",
        "ne répond jamais à une signature",
        "prend quelques secondes pour tout",
        "renouvelle le certificat avant de signer",
    ],
};

const NL: Texts = Texts {
    code: "nl",
    banner: "SANDBOX: dit is niet itsme®, en niets wat hier ondertekend wordt heeft rechtsgevolg.",
    identify: "Identificeer u",
    who: "Kies een testgebruiker",
    go_on: "Verder",
    sign: "Bevestig uw handtekening",
    documents: "Te ondertekenen documenten",
    policy: "Handtekeningbeleid",
    commitment: "Verbintenis",
    role: "Uw rol",
    icon_here: "Uw icoon op deze pagina",
    app: "In plaats van de app",
    icon_this: "dit icoon",
    icon_question: "Welk icoon is op de pagina gemarkeerd?",
    confirm: "Bevestigen",
    refuse: "Weigeren",
    gone: "Deze sessie bestaat niet of is afgelopen.",
    icons: ["cirkel", "driehoek", "vierkant"],
    wrong_icon: "Dat was het verkeerde icoon: de aanvraag is geweigerd.",
    back: "Terug naar de organisatie",
    habits: [
        "heeft een certificaat en bevestigt",
        "heeft nog geen certificaat; het wordt aangemaakt",
        "mag niet ondertekenen",
        "weigert de identificatie",
        "antwoordt nooit op de identificatie",
        "weigert te ondertekenen",
        "antwoordt nooit op een handtekening",
        "doet over alles enkele seconden",
        "vernieuwt het certificaat voor het ondertekenen",
    ],
};

const DE: Texts = Texts {
    code: "de",
    banner: "SANDBOX: Das ist nicht itsme®, und nichts hier Unterschriebenes ist rechtsverbindlich.",
    identify: "Identifizieren Sie sich",
    who: "Wählen Sie einen Testbenutzer",
    go_on: "Weiter",
    sign: "Bestätigen Sie Ihre Signatur",
    documents: "Zu signierende Dokumente",
    policy: "Signaturrichtlinie",
    commitment: "Verpflichtung",
    role: "Ihre Rolle",
    icon_here: "Ihr Symbol auf dieser Seite",
    app: "Anstelle der App",
    icon_this: "dieses",
    icon_question: "Welches Symbol ist auf der Seite markiert?",
    confirm: "Bestätigen",
    refuse: "Ablehnen",
    gone: "Diese Sitzung gibt es nicht, oder sie ist beendet.",
    icons: ["Kreis", "Dreieck", "Quadrat"],
    wrong_icon: "Das war das falsche Symbol: Die Anfrage ist abgelehnt.",
    back: "Zurück zur Organisation",
    habits: [
        "hat ein Zertifikat und bestätigt",
        "hat noch kein Zertifikat; es wird erstellt",
        "darf nicht signieren",
        "lehnt die Identifizierung ab",
        "antwortet nie auf die Identifizierung",
        "lehnt die Signatur ab",
        "antwortet nie auf eine Signatur",
        "braucht für alles einige Sekunden",
        "erneuert das Zertifikat vor dem Signieren",
    ],
};

//! The texts of the pages, in four languages.

use crate::users::User;

/// A language of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Fr,
    Nl,
    De,
}

impl Lang {
    pub(crate) const ALL: [Self; 4] = [Self::En, Self::Fr, Self::Nl, Self::De];

    /// The code on the wire.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::En => "EN",
            Self::Fr => "FR",
            Self::Nl => "NL",
            Self::De => "DE",
        }
    }

    /// The language of a code in upper or lower case: the documentation uses both.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code().eq_ignore_ascii_case(code))
    }

    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::En => &EN,
            Self::Fr => &FR,
            Self::Nl => &NL,
            Self::De => &DE,
        }
    }
}

/// Every text of the pages.
pub(crate) struct Texts {
    /// For the `lang` attribute.
    pub(crate) code: &'static str,
    /// The name of the language in the language itself.
    pub(crate) language: &'static str,
    pub(crate) languages: &'static str,
    pub(crate) banner: &'static str,
    pub(crate) identify: &'static str,
    pub(crate) who: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) share: &'static str,
    pub(crate) create: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) signs: &'static str,
    pub(crate) partner: &'static str,
    pub(crate) documents: &'static str,
    pub(crate) policy: &'static str,
    pub(crate) commitment: &'static str,
    pub(crate) role: &'static str,
    pub(crate) no_description: &'static str,
    pub(crate) icon_here: &'static str,
    pub(crate) icon_remember: &'static str,
    pub(crate) icon_this: &'static str,
    pub(crate) app: &'static str,
    pub(crate) icon_question: &'static str,
    pub(crate) confirm: &'static str,
    pub(crate) refuse: &'static str,
    pub(crate) gone: &'static str,
    pub(crate) choose_first: &'static str,
    pub(crate) wrong_icon: &'static str,
    pub(crate) wrong_icon_more: &'static str,
    pub(crate) ignored: &'static str,
    pub(crate) ignored_more: &'static str,
    pub(crate) back: &'static str,
    pub(crate) icons: [&'static str; 3],
    habits: [&'static str; 9],
}

impl Texts {
    /// The habit of a user.
    pub(crate) fn habit(&self, user: User) -> &'static str {
        let mut habits = User::ALL.into_iter().zip(self.habits);
        habits.find(|(other, _)| *other == user).map_or("", |(_, habit)| habit)
    }
}

const EN: Texts = Texts {
    code: "en",
    language: "English",
    languages: "Language",
    banner: "SANDBOX: this is not itsme®, and nothing signed here has legal value.",
    identify: "Identify yourself",
    who: "Choose a test user",
    go_on: "Continue",
    share: "Share your certificate with this organisation?",
    create: "You have no certificate yet. Create one and share it with this organisation?",
    sign: "Confirm your signature",
    signs: "User",
    partner: "Organisation",
    documents: "Documents to sign",
    policy: "Signature policy",
    commitment: "Commitment",
    role: "Your role",
    no_description: "The organisation gives no description.",
    icon_here: "Your icon on this page",
    icon_remember: "Choose the same icon in the app.",
    icon_this: "this icon",
    app: "Stand-in for the app on your phone",
    icon_question: "Which icon is marked on the page?",
    confirm: "Confirm",
    refuse: "Refuse",
    gone: "This session does not exist or has ended.",
    choose_first: "Choose a test user.",
    wrong_icon: "The icon is wrong, so the request is refused.",
    wrong_icon_more: "A wrong icon means that the page and the app may not belong together.",
    ignored: "This user does not answer.",
    ignored_more: "The request stays open until it expires.",
    back: "Back to the organisation",
    icons: ["circle", "triangle", "square"],
    habits: [
        "has a certificate and confirms",
        "has no certificate yet, and creates one",
        "is not allowed to sign",
        "refuses the identification",
        "never answers the identification request",
        "refuses to sign",
        "never answers a signature request",
        "takes a few seconds for every answer",
        "renews the certificate before signing",
    ],
};

const FR: Texts = Texts {
    code: "fr",
    language: "Français",
    languages: "Langue",
    banner: "SANDBOX : ceci n’est pas itsme®, et rien de ce qui est signé ici n’a de valeur légale.",
    identify: "Identifiez-vous",
    who: "Choisissez un utilisateur de test",
    go_on: "Continuer",
    share: "Communiquer votre certificat à cette organisation ?",
    create: "Vous n’avez pas encore de certificat. En créer un et le communiquer à cette organisation ?",
    sign: "Confirmez votre signature",
    signs: "Utilisateur",
    partner: "Organisation",
    documents: "Documents à signer",
    policy: "Politique de signature",
    commitment: "Engagement",
    role: "Votre rôle",
    no_description: "L’organisation ne donne pas de description.",
    icon_here: "Votre icône sur cette page",
    icon_remember: "Choisissez la même icône dans l’application.",
    icon_this: "celle-ci",
    app: "À la place de l’application sur votre téléphone",
    icon_question: "Quelle icône est marquée sur la page ?",
    confirm: "Confirmer",
    refuse: "Refuser",
    gone: "Cette session n’existe pas ou est terminée.",
    choose_first: "Veuillez choisir un utilisateur de test.",
    wrong_icon: "Ce n’était pas la bonne icône : la demande est refusée.",
    wrong_icon_more: "Une icône différente signifie que la page et l’application ne vont peut-être pas ensemble.",
    ignored: "Cet utilisateur ne répond pas.",
    ignored_more: "La demande reste ouverte jusqu’à son expiration.",
    back: "Retour à l’organisation",
    icons: ["cercle", "triangle", "carré"],
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
    language: "Nederlands",
    languages: "Taal",
    banner: "SANDBOX: dit is niet itsme®, en niets wat hier ondertekend wordt heeft rechtsgevolg.",
    identify: "Identificeer u",
    who: "Kies een testgebruiker",
    go_on: "Verder",
    share: "Uw certificaat met deze organisatie delen?",
    create: "U hebt nog geen certificaat. Er een aanmaken en met deze organisatie delen?",
    sign: "Bevestig uw handtekening",
    signs: "Gebruiker",
    partner: "Organisatie",
    documents: "Te ondertekenen documenten",
    policy: "Handtekeningbeleid",
    commitment: "Verbintenis",
    role: "Uw rol",
    no_description: "De organisatie geeft geen beschrijving.",
    icon_here: "Uw icoon op deze pagina",
    icon_remember: "Kies hetzelfde icoon in de app.",
    icon_this: "dit icoon",
    app: "In plaats van de app op uw telefoon",
    icon_question: "Welk icoon is op de pagina gemarkeerd?",
    confirm: "Bevestigen",
    refuse: "Weigeren",
    gone: "Deze sessie bestaat niet of is afgelopen.",
    choose_first: "Kies een testgebruiker.",
    wrong_icon: "Dat was het verkeerde icoon: de aanvraag is geweigerd.",
    wrong_icon_more: "Een ander icoon betekent dat de pagina en de app misschien niet bij elkaar horen.",
    ignored: "Deze gebruiker antwoordt niet.",
    ignored_more: "De aanvraag blijft open tot ze vervalt.",
    back: "Terug naar de organisatie",
    icons: ["cirkel", "driehoek", "vierkant"],
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
    language: "Deutsch",
    languages: "Sprache",
    banner: "SANDBOX: Das ist nicht itsme®, und nichts hier Unterschriebenes ist rechtsverbindlich.",
    identify: "Identifizieren Sie sich",
    who: "Wählen Sie einen Testbenutzer",
    go_on: "Weiter",
    share: "Ihr Zertifikat an diese Organisation weitergeben?",
    create: "Sie haben noch kein Zertifikat. Eines erstellen und an diese Organisation weitergeben?",
    sign: "Bestätigen Sie Ihre Signatur",
    signs: "Benutzer",
    partner: "Organisation",
    documents: "Zu signierende Dokumente",
    policy: "Signaturrichtlinie",
    commitment: "Verpflichtung",
    role: "Ihre Rolle",
    no_description: "Die Organisation gibt keine Beschreibung an.",
    icon_here: "Ihr Symbol auf dieser Seite",
    icon_remember: "Wählen Sie dasselbe Symbol in der App.",
    icon_this: "dieses",
    app: "Anstelle der App auf Ihrem Telefon",
    icon_question: "Welches Symbol ist auf der Seite markiert?",
    confirm: "Bestätigen",
    refuse: "Ablehnen",
    gone: "Diese Sitzung gibt es nicht, oder sie ist beendet.",
    choose_first: "Bitte wählen Sie einen Testbenutzer.",
    wrong_icon: "Das war das falsche Symbol: Die Anfrage ist abgelehnt.",
    wrong_icon_more: "Ein anderes Symbol bedeutet, dass Seite und App vielleicht nicht zusammengehören.",
    ignored: "Dieser Benutzer antwortet nicht.",
    ignored_more: "Die Anfrage bleibt offen, bis sie abläuft.",
    back: "Zurück zur Organisation",
    icons: ["Kreis", "Dreieck", "Quadrat"],
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_a_habit_in_every_language() {
        for lang in Lang::ALL {
            for user in User::ALL {
                assert!(!lang.texts().habit(user).is_empty());
            }
        }
    }

    #[test]
    fn every_banner_says_sandbox() {
        assert!(Lang::ALL.iter().all(|lang| lang.texts().banner.starts_with("SANDBOX")));
    }
}

//! What the pages say, in four languages.

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
    pub(crate) icon_question: &'static str,
    pub(crate) confirm: &'static str,
    pub(crate) refuse: &'static str,
    pub(crate) gone: &'static str,
    pub(crate) icons: [&'static str; 3],
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
    icon_question: "Which icon does the page show?",
    confirm: "Confirm",
    refuse: "Refuse",
    gone: "This session does not exist or has ended.",
    icons: ["circle", "triangle", "square"],
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
    icon_question: "Quelle icône la page montre-t-elle ?",
    confirm: "Confirmer",
    refuse: "Refuser",
    gone: "Cette session n'existe pas ou est terminée.",
    icons: ["cercle", "triangle", "carré"],
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
    icon_question: "Welk icoon toont de pagina?",
    confirm: "Bevestigen",
    refuse: "Weigeren",
    gone: "Deze sessie bestaat niet of is afgelopen.",
    icons: ["cirkel", "driehoek", "vierkant"],
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
    icon_question: "Welches Symbol zeigt die Seite?",
    confirm: "Bestätigen",
    refuse: "Ablehnen",
    gone: "Diese Sitzung gibt es nicht, oder sie ist beendet.",
    icons: ["Kreis", "Dreieck", "Quadrat"],
};

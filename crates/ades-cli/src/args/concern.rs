//! Which options concern which inputs and signers.

use ades::{Format, FormatOption, Operation, SigningOptions};
use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::exit::Failure;
use crate::job::SignerKind;
use crate::output::Messages;

/// What an option of `sign` or `prepare` concerns. The facade knows which signatures have a
/// [`FormatOption`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concern {
    /// The run, or signatures of every format
    Every,
    /// Signatures that have this option
    Signature(FormatOption),
    /// These signers
    Signer(Signers),
    /// A text for the signer's screen, which some signatures contain too
    Shown,
    /// The language of such texts, which also decides the text in the signature
    Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signers {
    Sandbox,
    KeyFile,
    /// Those with pages for the user and a discovery document
    Itsme,
}

impl Concern {
    /// The concern of an option, by its id.
    fn of(id: &str) -> Option<Self> {
        Some(match id {
            "inputs" | "together" | "input" | "output" | "out_dir" | "force" | "json" | "quiet"
            | "verbose" | "signer" | "certs" | "state" | "state_key_env" | "level" | "tsa"
            | "tsa_policy" | "fresh_revocation" | "wait" | "parallel" | "counter_sign"
            | "digest" | "algorithm" | "signing_time" | "policy" | "policy_document"
            | "policy_digest" | "policy_uri" | "commitment" | "role" | "country" | "locality"
            | "trust" | "fetch_allow" | "fetch_timeout" | "fetch_proxy" => Self::Every,
            "auto_approve" | "sandbox_user" | "sandbox_dir" => Self::Signer(Signers::Sandbox),
            "password_env" | "key_name" => Self::Signer(Signers::KeyFile),
            "policy_digest_from_discovery" | "open" => Self::Signer(Signers::Itsme),
            "lang" => Self::Language,
            "description" => Self::Shown,
            id => Self::Signature(signature_option(id)?),
        })
    }
}

fn signature_option(id: &str) -> Option<FormatOption> {
    Some(match id {
        "format" => FormatOption::Format,
        "packaging" => FormatOption::Packaging,
        "mime_type" => FormatOption::MediaType,
        "name" => FormatOption::Name,
        "reason" => FormatOption::Reason,
        "location" => FormatOption::Location,
        "contact" => FormatOption::Contact,
        "field" => FormatOption::Field,
        "certify" => FormatOption::Certification,
        "lock" => FormatOption::Lock,
        "visible" | "stamp_text" | "stamp_time_zone" | "stamp_image" | "stamp_qr"
        | "stamp_font" | "stamp_align" | "stamp_border" | "stamp_background" | "preview" => {
            FormatOption::Stamp
        }
        "repair" => FormatOption::Repair,
        "pdf_password_env" | "pdf_key" | "pdf_key_password_env" => FormatOption::Password,
        "overrule_permissions" => FormatOption::Permissions,
        "element" => FormatOption::SignedElement,
        "into" | "first_in" | "before" | "behind" => FormatOption::Position,
        "signing_certificate" => FormatOption::SigningCertificate,
        "sign_key_info" | "key_value" => FormatOption::KeyInfo,
        "c14n" => FormatOption::Canonicalization,
        "allow_parallel" => FormatOption::AllowParallel,
        "street_address" | "state_or_province" | "postal_code" => FormatOption::ProductionPlace,
        "ignore_external_subset" | "id_attribute" => FormatOption::Reading,
        _ => return None,
    })
}

impl Signers {
    fn include(self, signer: Option<&SignerKind>) -> bool {
        match self {
            Self::Sandbox => signer == Some(&SignerKind::Sandbox),
            Self::KeyFile => matches!(signer, Some(SignerKind::Pkcs12(_))),
            Self::Itsme => has_screen(signer),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "it is for --signer sandbox",
            Self::KeyFile => "it is for --signer pkcs12:FILE",
            Self::Itsme => "it is for the signers sandbox and itsme",
        }
    }
}

fn has_screen(signer: Option<&SignerKind>) -> bool {
    matches!(signer, Some(SignerKind::Sandbox | SignerKind::Itsme(_)))
}

/// The options that the user gave, by their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(Vec<String>);

impl Given {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let given = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
        // The ids of groups are not options.
        let ids = matches.ids().map(clap::Id::as_str).filter(given);
        Self(ids.filter(|id| Concern::of(id).is_some()).map(str::to_owned).collect())
    }
}

/// The inputs and the signer of a run: what its options can concern.
pub(crate) struct Concerned<'a> {
    pub(crate) options: &'a SigningOptions,
    /// `None` if the value comes from outside
    pub(crate) signer: Option<&'a SignerKind>,
    /// Each input's name, and the format of its signature
    pub(crate) inputs: Vec<(String, Format)>,
}

impl Concerned<'_> {
    /// Checks that each given option concerns the signer or an input, and prints which inputs an
    /// option does not concern.
    ///
    /// # Errors
    /// A usage error that names all options that concern nothing.
    pub(crate) fn check(&self, given: &Given, messages: &Messages) -> Result<(), Failure> {
        let mut useless = Vec::new();
        let mut partial = Vec::new();
        for id in &given.0 {
            let name = format!("--{}", id.replace('_', "-"));
            match self.outside(id, given) {
                Outside::None => {}
                Outside::Signer(why) => {
                    useless.push(format!("{name} does not concern this signer: {why}"));
                }
                Outside::Inputs(option, inputs) => {
                    let why = self.why(option, &inputs);
                    let all = inputs.len() == self.inputs.len();
                    let text = format!("{name} does not concern {}: {why}", listed(&inputs));
                    if all { useless.push(text) } else { partial.push(text) }
                }
            }
        }
        if !useless.is_empty() {
            return Err(Failure::usage(useless.join("\n  ")));
        }
        partial.iter().for_each(|text| messages.print(text));
        Ok(())
    }

    /// What a given option does not concern.
    fn outside(&self, id: &str, given: &Given) -> Outside<'_> {
        let signature = |option| {
            let concerns = |format| FormatOption::concerns(option, format, self.options);
            let inputs = self.inputs.iter().filter(|(_, format)| !concerns(*format));
            match inputs.collect::<Vec<_>>() {
                inputs if inputs.is_empty() => Outside::None,
                inputs => Outside::Inputs(option, inputs),
            }
        };
        let has = |id: &str| given.0.iter().any(|given| given == id);
        match Concern::of(id) {
            Some(Concern::Signature(option)) => signature(option),
            Some(Concern::Signer(signers)) if !signers.include(self.signer) => {
                Outside::Signer(signers.name())
            }
            Some(Concern::Shown | Concern::Language) if has_screen(self.signer) => Outside::None,
            Some(Concern::Language) => match (has("description"), has("visible")) {
                // A description is for all formats but PDF.
                (true, true) => Outside::None,
                (true, false) => signature(FormatOption::Description),
                (false, true) => signature(FormatOption::Stamp),
                (false, false) => Outside::Signer(
                    "it shows no texts, and there is neither a --description to choose nor a \
                     --visible signature",
                ),
            },
            Some(Concern::Shown) => signature(FormatOption::Description),
            Some(Concern::Every | Concern::Signer(_)) | None => Outside::None,
        }
    }

    /// Why an option does not concern inputs.
    fn why(&self, option: FormatOption, inputs: &[&(String, Format)]) -> String {
        let has = |(_, format): &&(String, Format)| option.formats().contains(format);
        if !inputs.iter().any(has) {
            let formats: Vec<String> = option.formats().iter().map(Format::to_string).collect();
            let hint = match option {
                FormatOption::Packaging => "; --format cades signs a PDF as any other file",
                _ => "",
            };
            return format!("only {} signatures have it{hint}", formats.join(" and "));
        }
        match (&self.options.operation, self.options.packaging) {
            (Operation::AddParallel, _) => "the container determines it".to_owned(),
            (Operation::Countersign { .. }, _) => "countersignatures do not have it".to_owned(),
            (_, Some(packaging)) => format!("{packaging} signatures do not have it"),
            _ => "it needs --packaging internally-detached".to_owned(),
        }
    }
}

enum Outside<'a> {
    None,
    Signer(&'static str),
    Inputs(FormatOption, Vec<&'a (String, Format)>),
}

fn listed(inputs: &[&(String, Format)]) -> String {
    let names = inputs.iter().map(|(name, format)| format!("{name} ({format})"));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Args;

    #[test]
    fn every_option_of_signing_has_a_concern() {
        let command = Args::command();
        for name in ["sign", "prepare"] {
            let command = command.find_subcommand(name).unwrap();
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(
                    Concern::of(id).is_some() || id == "help",
                    "{name}: {id} is not in the table"
                );
            }
        }
    }
}

//! The discovery document of `/.well-known/configuration`.

use serde_json::Value;

const DOCUMENT: &str = include_str!("../data/configuration.json");

/// The discovery document, in which policies can be disabled.
#[derive(Clone, Debug)]
pub(crate) struct Discovery(Value);

impl Default for Discovery {
    fn default() -> Self {
        // A test below checks that this parses.
        Self(serde_json::from_str(DOCUMENT).unwrap_or_default())
    }
}

impl Discovery {
    pub(crate) const fn document(&self) -> &Value {
        &self.0
    }

    /// Whether a policy is enabled. `None` if it does not exist.
    pub(crate) fn is_enabled(&self, reference: &str) -> Option<bool> {
        let policy = find(&self.0, "sign_policy_templates_supported", reference)?;
        Some(policy.get("status").and_then(Value::as_str) == Some("ENABLED"))
    }

    pub(crate) fn has_commitment(&self, reference: &str) -> bool {
        find(&self.0, "commitment_types_supported", reference).is_some()
    }

    /// The label of a policy or commitment in a language.
    pub(crate) fn label(&self, reference: &str, lang: &str) -> Option<&str> {
        ["sign_policy_templates_supported", "commitment_types_supported"]
            .into_iter()
            .find_map(|list| find(&self.0, list, reference))?
            .get("text")?
            .get(lang)?
            .as_str()
    }

    /// Enables or disables a policy. Returns `false` if it does not exist.
    pub(crate) fn set_enabled(&mut self, reference: &str, enabled: bool) -> bool {
        let list = self.0.get_mut("sign_policy_templates_supported").and_then(Value::as_array_mut);
        let policy = list.and_then(|list| list.iter_mut().find(|policy| has(policy, reference)));
        let Some(policy) = policy.and_then(Value::as_object_mut) else { return false };
        let status = if enabled { "ENABLED" } else { "DISABLED" };
        policy.insert("status".to_owned(), status.into());
        true
    }
}

fn find<'a>(document: &'a Value, list: &str, reference: &str) -> Option<&'a Value> {
    document.get(list)?.as_array()?.iter().find(|entry| has(entry, reference))
}

fn has(entry: &Value, reference: &str) -> bool {
    entry.get("ref").and_then(Value::as_str) == Some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_policies_commitments_and_languages() {
        let discovery = Discovery::default();
        assert_eq!(discovery.is_enabled("1.3.6.1.4.1.49274.1.1.7.2.0"), Some(true));
        assert_eq!(discovery.is_enabled("ITSME_DEFAULT"), None);
        assert!(discovery.has_commitment("1.2.840.113549.1.9.16.6.5"));
        let label = discovery.label("1.2.840.113549.1.9.16.6.5", "NL");
        assert_eq!(label, Some("Bewijs van goedkeuring"));
        assert_eq!(discovery.document()["sign_languages_supported"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn a_policy_can_be_disabled_and_enabled() {
        let mut discovery = Discovery::default();
        let reference = "1.3.6.1.4.1.49274.1.1.7.2.0";
        assert!(discovery.set_enabled(reference, false));
        assert_eq!(discovery.is_enabled(reference), Some(false));
        assert!(discovery.set_enabled(reference, true));
        assert_eq!(discovery.is_enabled(reference), Some(true));
        assert!(!discovery.set_enabled("nothing", false));
    }
}

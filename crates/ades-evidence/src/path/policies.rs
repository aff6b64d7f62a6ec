//! Certificate policies (RFC 5280, 6.1), as a graph instead of a tree (RFC 9618):
//! its size is linear in that of the certificates.

use std::collections::{BTreeMap, BTreeSet};

use ades_core::Oid;

use super::extensions::Extensions;
use super::{Fault, InitialPolicies};

pub(super) const ANY_POLICY: Oid = match Oid::from_dotted("2.5.29.32.0") {
    Some(oid) => oid,
    None => unreachable!(),
};

/// A policy that is valid at one depth of the path.
#[derive(Debug, Default)]
struct Node {
    expected: BTreeSet<Oid>,
    /// The policies at the depth above that lead to it.
    parents: BTreeSet<Oid>,
}

/// The policies of one depth.
type Level = BTreeMap<Oid, Node>;

/// The state of policy processing.
#[derive(Debug)]
pub(super) struct Policies {
    acceptable: Vec<Oid>,
    /// The valid policies, by depth. `None` is the NULL of valid_policy_tree.
    graph: Option<Vec<Level>>,
    explicit_policy: usize,
    policy_mapping: usize,
    inhibit_any: usize,
}

impl Policies {
    /// 6.1.2 (a), (d), (e) and (f), for a path of `len` certificates.
    pub(super) fn new(initial: &InitialPolicies, len: usize) -> Self {
        let unless = |now: bool| if now { 0 } else { len + 1 };
        let root = Node { expected: BTreeSet::from([ANY_POLICY]), parents: BTreeSet::new() };
        Self {
            acceptable: initial.acceptable.clone(),
            graph: Some(vec![Level::from([(ANY_POLICY, root)])]),
            explicit_policy: unless(initial.explicit),
            policy_mapping: unless(initial.inhibit_mapping),
            inhibit_any: unless(initial.inhibit_any),
        }
    }

    /// 6.1.3 (d), (e) and (f)
    pub(super) fn take(
        &mut self,
        extensions: &Extensions,
        self_issued: bool,
        is_last: bool,
    ) -> Result<(), Fault> {
        let may_be_any = self.inhibit_any > 0 || (!is_last && self_issued);
        self.graph = match (self.graph.take(), &extensions.policies) {
            (Some(mut graph), Some(policies)) => {
                let level = next_level(graph.last(), policies, may_be_any);
                graph.push(level);
                graph.last().is_some_and(|level| !level.is_empty()).then_some(graph)
            }
            _ => None,
        };
        if self.explicit_policy == 0 && self.graph.is_none() {
            return Err(Fault::Policies);
        }
        Ok(())
    }

    /// 6.1.4 (a), (b), (h), (i) and (j)
    pub(super) fn prepare_next(
        &mut self,
        extensions: &Extensions,
        self_issued: bool,
    ) -> Result<(), Fault> {
        self.map(&extensions.mappings)?;
        if !self_issued {
            for counter in
                [&mut self.explicit_policy, &mut self.policy_mapping, &mut self.inhibit_any]
            {
                *counter = counter.saturating_sub(1);
            }
        }
        for (counter, limit) in [
            (&mut self.explicit_policy, extensions.require_explicit_policy),
            (&mut self.policy_mapping, extensions.inhibit_policy_mapping),
            (&mut self.inhibit_any, extensions.inhibit_any_policy),
        ] {
            *counter = limit.map_or(*counter, |limit| limit.min(*counter));
        }
        Ok(())
    }

    fn map(&mut self, mappings: &[(Oid, Oid)]) -> Result<(), Fault> {
        if mappings.iter().any(|(from, to)| *from == ANY_POLICY || *to == ANY_POLICY) {
            return Err(Fault::Policies);
        }
        let mut mapped: BTreeMap<Oid, BTreeSet<Oid>> = BTreeMap::new();
        for (from, to) in mappings {
            mapped.entry(*from).or_default().insert(*to);
        }
        let Some(level) = self.graph.as_mut().and_then(|graph| graph.last_mut()) else {
            return Ok(());
        };
        if self.policy_mapping == 0 {
            level.retain(|policy, _| !mapped.contains_key(policy));
            if level.is_empty() {
                self.graph = None;
            }
            return Ok(());
        }
        let has_any = level.contains_key(&ANY_POLICY);
        for (policy, expected) in mapped {
            if let Some(node) = level.get_mut(&policy) {
                node.expected = expected;
            } else if has_any {
                level.insert(policy, Node { expected, parents: BTreeSet::from([ANY_POLICY]) });
            }
        }
        Ok(())
    }

    /// 6.1.5 (a), (b) and (g)
    pub(super) fn finish(&mut self, extensions: &Extensions) -> Result<(), Fault> {
        self.explicit_policy = self.explicit_policy.saturating_sub(1);
        if extensions.require_explicit_policy == Some(0) {
            self.explicit_policy = 0;
        }
        if self.explicit_policy > 0 || self.has_acceptable() {
            Ok(())
        } else {
            Err(Fault::Policies)
        }
    }

    /// Whether a valid policy is acceptable to the caller: one below anyPolicy, as the
    /// issuers nearest to the anchor name it.
    fn has_acceptable(&self) -> bool {
        let Some(graph) = &self.graph else { return false };
        let Some(last) = graph.last() else { return false };
        if self.acceptable.is_empty() || last.contains_key(&ANY_POLICY) {
            return true;
        }
        let mut reached: BTreeSet<Oid> = last.keys().copied().collect();
        for level in graph.iter().rev() {
            let nodes = reached.iter().filter_map(|policy| Some((policy, level.get(policy)?)));
            let mut above = BTreeSet::new();
            for (policy, node) in nodes {
                let below_any = node.parents.contains(&ANY_POLICY) && *policy != ANY_POLICY;
                if below_any && self.acceptable.contains(policy) {
                    return true;
                }
                above.extend(node.parents.iter().copied());
            }
            reached = above;
        }
        false
    }
}

/// 6.1.3 (d) (1) and (2): the valid policies of the next certificate.
fn next_level(above: Option<&Level>, policies: &[Oid], may_be_any: bool) -> Level {
    // By expected policy.
    let mut parents: BTreeMap<Oid, BTreeSet<Oid>> = BTreeMap::new();
    for (policy, node) in above.into_iter().flatten() {
        for expected in &node.expected {
            parents.entry(*expected).or_default().insert(*policy);
        }
    }
    let mut level = Level::new();
    let node = |policy: Oid, parents| Node { expected: BTreeSet::from([policy]), parents };
    for policy in policies.iter().filter(|policy| **policy != ANY_POLICY) {
        if let Some(parents) = parents.get(policy) {
            level.insert(*policy, node(*policy, parents.clone()));
        } else if parents.contains_key(&ANY_POLICY) {
            level.insert(*policy, node(*policy, BTreeSet::from([ANY_POLICY])));
        }
    }
    if may_be_any && policies.contains(&ANY_POLICY) {
        for (expected, parents) in parents {
            level.entry(expected).or_insert_with(|| node(expected, parents));
        }
    }
    level
}

//! Octets that a transform returns and a later one parses (XML Signature, clause
//! 4.4.3.2).

use crate::c14n::Covered;
use crate::error::Error;
use crate::options::ReadingOptions;

use super::super::transform::Plan;
use super::job::run;
use super::state::State;

/// Applies the plans of a chain after the first one, whose result and octets are passed.
/// `last` is the state for the last plan; without it there is only the first. Returns the
/// result of the last plan, and its state.
pub(super) fn parse_again<'b>(
    result: Result<Covered, Error>,
    state: State<'b>,
    then: &[Plan],
    last: Option<State<'b>>,
    reading: &ReadingOptions,
) -> Result<(Result<Covered, Error>, State<'b>), Error> {
    let Some(mut last) = last else { return Ok((result, state)) };
    let mut covered = result;
    let mut state = state;
    let mut plans = then.iter().peekable();
    while let Some(plan) = plans.next() {
        let before = match (state.into_held(), covered) {
            (Err(error), _) | (_, Err(error)) => return Ok((Err(error), last)),
            (Ok(octets), Ok(before)) => (octets.unwrap_or_default(), before),
        };
        let parsed = plans.peek().is_some();
        state = if parsed {
            last.parsing()
        } else {
            let other = last.parsing();
            std::mem::replace(&mut last, other)
        };
        let after = apply(&before.0, plan, parsed, &mut state, reading);
        state.check()?;
        covered = after.map(|after| after.mapped_through(before.1));
    }
    Ok((covered, state))
}

fn apply(
    octets: &[u8],
    plan: &Plan,
    parsed: bool,
    state: &mut State<'_>,
    reading: &ReadingOptions,
) -> Result<Covered, Error> {
    state.decoder = plan.decoder();
    if matches!(plan, Plan::Octets | Plan::Decoded) {
        state.take(octets).map_err(ades_core::Error::Write)?;
        return Ok(Covered::default());
    }
    state.charge(octets.len() as u64);
    let plans = std::iter::once((plan.clone(), parsed));
    let states = std::slice::from_mut(state);
    let (mut results, _) = run(reading.reader(octets)?, plans, states, None, &mut |_| Ok(()))?;
    results.pop().unwrap_or_else(|| Ok(Covered::default()))
}

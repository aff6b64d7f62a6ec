//! One signature while it is judged.

use crate::chain::Chain;
use crate::facts::Signature;
use crate::fault::Fault;
use crate::time_stamp::Stamp;

pub(crate) struct Case<'a> {
    pub(crate) signature: &'a Signature<'a>,
    pub(crate) chain: Option<Chain>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) stamps: Vec<Stamp<'a>>,
}

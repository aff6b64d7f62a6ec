//! Extending a document by incremental updates (ISO 32000-2, 7.5.6): time-stamps and
//! validation data, which raise a signature's level (EN 319 142-1, 5.4).

mod appended;
mod contents;
pub(crate) mod cross_reference;
mod edited;
pub(crate) mod extensions;
mod numbers;
mod options;
mod security_store;
mod store_lists;
mod target;
mod time_stamp;
mod update;

pub use appended::with_update;
pub(crate) use edited::Edited;
pub(crate) use numbers::reserve_numbers;
pub use options::ExtendOptions;
pub use security_store::{add_validation_data, validation_data_update};
pub(crate) use target::Target;
pub use time_stamp::{
    PendingTimeStamp, add_time_stamp, check_level, prepare_time_stamp, time_stamp_update,
};
pub(crate) use update::{Update, WrittenUpdate, overwrite, set_identifier};

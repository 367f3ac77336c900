//! `schema`: the JSON Schemas of what is written, for editors and other programs.
use crate::{
    cli::{SchemaArgs, SchemaOf},
    error::{Exit, ExpectedError},
    output,
};

/// `schema`.
pub(crate) fn run(args: &SchemaArgs) -> Result<Exit, ExpectedError> {
    output::answer(match args.of {
        SchemaOf::Plan => include_str!("../../docs/schema/plan.schema.json"),
        SchemaOf::Profile => include_str!("../../docs/schema/profile.schema.json"),
    })?;
    Ok(Exit::Ok)
}

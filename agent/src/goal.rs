//! What `--objective`, `--price` and the load's limits ask of a search.
use crate::{
    cli::{GoalArgs, ObjectiveArg},
    error::ExpectedError,
    output,
    scenario_flags::FieldFlags,
    suggest,
};
use planner::{
    Scenario, bounds,
    gpu::{self, GpuSpec},
    recommend::{Goal, Objective, Price, Slo, USE_CASES, UseCase, priced},
    workload::Workload,
};

/// What GPUs cost an hour.
#[derive(Debug, Default)]
pub(crate) struct Prices {
    any: Option<Price>,
    by_name: Vec<(String, Price)>,
}

impl Prices {
    /// Of that kind.
    pub(crate) fn of(&self, name: &str) -> Option<Price> {
        let own = self.by_name.iter().find(|(known, _)| known == name);
        own.map(|(_, price)| *price).or(self.any)
    }
}

/// Reads them; `otherwise` is the objective where nothing says one.
pub(crate) fn read(
    args: &GoalArgs,
    load: &Workload,
    otherwise: Objective,
) -> Result<(Goal, Prices), ExpectedError> {
    let prices = prices(&args.price, &args.currency)?;
    let priced = prices.any.is_some() || !prices.by_name.is_empty();
    let objective = match args.objective {
        Some(ObjectiveArg::Cost) if !priced => {
            return Err(ExpectedError::usage("--objective cost needs prices")
                .help("Give what a GPU costs an hour, such as `--price \"H100 SXM=2.50\"`."));
        }
        Some(ObjectiveArg::Cost) => Objective::Cost,
        Some(ObjectiveArg::Throughput) => Objective::Throughput,
        Some(ObjectiveArg::Latency) => Objective::Latency,
        Some(ObjectiveArg::Balanced) => Objective::Balanced,
        Some(ObjectiveArg::Gpus) => Objective::Gpus,
        None if priced => Objective::Cost,
        None => otherwise,
    };
    let slo = Slo::of(load);
    Ok((Goal { objective, slo }, prices))
}

/// A GPU of the catalogue.
pub(crate) fn known(flag: &str, name: &str) -> Result<&'static GpuSpec, ExpectedError> {
    gpu::find(name.trim()).ok_or_else(|| {
        let names = gpu::gpus().iter().map(|gpu| gpu.name.as_str());
        let question = suggest::did_you_mean(&suggest::nearest(name, names)).unwrap_or_default();
        ExpectedError::usage(format!("{flag}: {name:?} is not in the catalogue")).help(question)
    })
}

/// Lengths, mode and limits of a use, where no flag says otherwise.
pub(crate) fn put_use_case<const ALL: bool>(
    name: &str,
    scenario: &mut Scenario,
    fields: &FieldFlags<ALL>,
) -> Result<(), ExpectedError> {
    let Some(case) = UseCase::find(name) else {
        let names: Vec<&str> = USE_CASES.iter().map(|case| case.id).collect();
        return Err(ExpectedError::usage(format!("--use-case: {name:?} is not known"))
            .help(format!("Known are {}.", names.join(", "))));
    };
    for (id, text) in case.fields() {
        scenario.set(id, fields.value(id).unwrap_or(&text))?;
    }
    output::say(&format!(
        "use: {} (lengths and limits from {})",
        case.title, case.source
    ));
    Ok(())
}

fn prices(texts: &[String], currency: &str) -> Result<Prices, ExpectedError> {
    let mut prices = Prices::default();
    // One's own go before listed ones.
    let mut listed_prices = Vec::new();
    for text in texts {
        let listed = priced(text);
        if !listed.is_empty() && currency != "USD" {
            return Err(ExpectedError::usage(format!(
                "--price {text}: listed prices are in USD, --currency says {currency}"
            )));
        }
        for one in &listed {
            listed_prices.push((one.gpu.to_owned(), one.price()));
            output::say(&format!(
                "price: {} at USD {} a GPU-hour, {}",
                one.gpu,
                one.amount(),
                one.words()
            ));
        }
        if !listed.is_empty() {
            continue;
        }
        let (name, price) = match text.rsplit_once('=') {
            Some((name, price)) => (Some(name), price),
            None => (None, text.as_str()),
        };
        let milli = bounds::parse_decimal("price", price.trim())
            .map_err(|error| ExpectedError::usage(format!("--price: {error}, got {text:?}")))?;
        match name {
            Some(name) => prices
                .by_name
                .push((known("--price", name)?.name.clone(), Price(milli))),
            None => prices.any = Some(Price(milli)),
        }
    }
    prices.by_name.append(&mut listed_prices);
    Ok(prices)
}

//! Asks the page in its own language, once or until it answers.

use crate::{Page, Res};
use chromiumoxide::cdp::js_protocol::runtime::{
    CallArgument, CallFunctionOnParams, CallFunctionOnParamsBuilder as CallBuilder, EvaluateParams,
    ExceptionDetails, RemoteObjectId,
};
use serde_json::Value;
use std::time::{Duration, Instant};

impl Page {
    /// The value of a JavaScript expression; a promise is awaited, an exception is an error.
    pub async fn eval(&self, expression: &str) -> Res<Value> {
        let evaluate = EvaluateParams::builder()
            .expression(expression)
            .await_promise(true)
            .return_by_value(true);
        let answer = self.cdp().execute(evaluate.build()?).await?.result;
        no_exception(answer.exception_details.as_ref())?;
        Ok(answer.result.value.unwrap_or_default())
    }

    /// Waits until a JavaScript expression is `true`.
    pub async fn wait(&self, expression: &str) -> Res<()> {
        // While a new document loads there may be nothing to ask.
        let is_true = async || {
            Ok(self
                .eval(expression)
                .await
                .is_ok_and(|value| value == Value::Bool(true))
                .then_some(()))
        };
        self.poll(is_true, || format!("`{expression}` never came true"))
            .await
    }

    /// Asks again and again until there is an answer.
    pub(crate) async fn poll<T>(
        &self,
        mut ask: impl AsyncFnMut() -> Res<Option<T>>,
        otherwise: impl Fn() -> String,
    ) -> Res<T> {
        let started = Instant::now();
        loop {
            let answer = ask().await;
            if let Ok(Some(answer)) = answer {
                return Ok(answer);
            }
            if started.elapsed() > self.patience() {
                let why = answer
                    .err()
                    .map(|error| format!(" ({error})"))
                    .unwrap_or_default();
                return Err(format!("{}{why}", otherwise()).into());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    pub(crate) async fn document(&self) -> Res<RemoteObjectId> {
        let answer = self.cdp().execute(EvaluateParams::new("document")).await?.result;
        answer
            .result
            .object_id
            .ok_or_else(|| "there is no document".into())
    }

    pub(crate) async fn call_on(
        &self,
        object: RemoteObjectId,
        function: &str,
        arguments: &[Value],
    ) -> Res<Value> {
        let call = call(object, function, arguments)
            .await_promise(true)
            .return_by_value(true)
            .build()?;
        let answer = self.cdp().execute(call).await?.result;
        no_exception(answer.exception_details.as_ref())?;
        Ok(answer.result.value.unwrap_or_default())
    }

    pub(crate) async fn object(
        &self,
        on: RemoteObjectId,
        function: &str,
        arguments: &[Value],
    ) -> Res<RemoteObjectId> {
        let answer = self
            .cdp()
            .execute(call(on, function, arguments).build()?)
            .await?
            .result;
        no_exception(answer.exception_details.as_ref())?;
        answer
            .result
            .object_id
            .ok_or_else(|| "the function returned no object".into())
    }
}

fn call(on: RemoteObjectId, function: &str, arguments: &[Value]) -> CallBuilder {
    let arguments = arguments
        .iter()
        .map(|value| CallArgument::builder().value(value.clone()).build());
    CallFunctionOnParams::builder()
        .object_id(on)
        .function_declaration(function)
        .arguments(arguments)
}

fn no_exception(details: Option<&ExceptionDetails>) -> Res<()> {
    let Some(details) = details else { return Ok(()) };
    let said = details
        .exception
        .as_ref()
        .and_then(|exception| exception.description.clone());
    Err(said.unwrap_or_else(|| details.text.clone()).into())
}

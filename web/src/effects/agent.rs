//! Asks `vllm-wizard serve` on this machine for its host report, only when the button that names it is pressed.
use super::request::{Answer, Silence, WebRequest};
use crate::text;
use serde_json::Value;

/// The port that the agent listens on unless told otherwise.
pub(crate) const AGENT_PORT: u16 = 9177;
/// How long to wait; the browser's own question to the user counts.
const TIME_OUT_MS: u64 = 10_000;

/// Fetches the host report from that port and hands it, or a sentence, to `then`.
pub(crate) fn fetch_host(
    request: WebRequest,
    port: u16,
    then: impl FnOnce(Result<String, String>) + 'static,
) {
    let answered = move |answer| then(read(answer));
    let url = format!("http://127.0.0.1:{port}/v1/host");
    request.start(url, String::new(), TIME_OUT_MS, Box::new(answered));
}

fn read(answer: Answer) -> Result<String, String> {
    let (status, body) = answer.map_err(|silence| {
        let sentence = match silence {
            Silence::TimedOut => text::AGENT_TIME_OUT,
            Silence::Cancelled => text::CANCELLED,
            Silence::Denied => text::AGENT_DENIED,
            Silence::Unreadable => text::AGENT_NO_ANSWER,
        };
        sentence.to_owned()
    })?;
    let json = serde_json::from_str::<Value>(&body).unwrap_or_default();
    let word = |key| json.get(key).and_then(Value::as_str);
    match word("schema") {
        Some(schema) if status == 200 && schema.contains("/host/") => Ok(body),
        // What the agent itself says, such as that there is no GPU.
        _ => Err(word("error").map_or_else(
            || text::AGENT_OTHER.to_owned(),
            |error| text::agent_error(error, word("help").unwrap_or_default()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_own_words() {
        let read = |answer| read(answer).unwrap_err();
        let answers = [
            read(Err(Silence::TimedOut)),
            read(Err(Silence::Cancelled)),
            read(Err(Silence::Unreadable)),
            read(Err(Silence::Denied)),
            read(Ok((200, "<html>".to_owned()))),
            read(Ok((503, r#"{"error":"no GPU","help":"Look."}"#.to_owned()))),
        ];
        for (at, answer) in answers.iter().enumerate() {
            assert!(!answers[..at].contains(answer), "{answer}");
        }
        assert!(answers[5].contains("no GPU. Look."), "{}", answers[5]);
    }

    #[test]
    fn only_a_host_report_is_taken() {
        let report = r#"{"schema":"vllm-wizard/host/v1"}"#.to_owned();
        assert_eq!(read(Ok((200, report.clone()))), Ok(report.clone()));
        assert!(read(Ok((500, report))).is_err());
        // A scenario may be taken by paste; nobody asked for one here.
        let scenario = r#"{"schema":"vllm-wizard/scenario/v1"}"#.to_owned();
        assert!(read(Ok((200, scenario))).is_err());
    }
}

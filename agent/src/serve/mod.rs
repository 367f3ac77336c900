//! `serve`: gives the page the hardware of this machine, and the page itself where there is no other way to it.
//!
//! Listens on loopback unless told otherwise; answers only requests that name this server in `Host` (else a page of
//! anybody's could reach it through a DNS name that it points here) and only pages of the allowed origins. Reads no
//! body, writes nothing; the only programs it runs are the makers' own tools, where their libraries are missing, with fixed
//! arguments. Beyond loopback every visitor needs the token that is printed at the start.
mod access;
mod media_type;
mod route;
mod token;
mod ui;

use crate::{
    cli::ServeArgs,
    detect,
    error::{Exit, ExpectedError},
    output,
};
use access::Access;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use route::{Answer, Reply, Router};
use std::{convert::Infallible, io, sync::Arc, time::Duration};
use token::Token;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// To send the request's head.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// For a whole connection; each carries one request.
const CONNECTION_TIME: Duration = Duration::from_secs(30);
/// Of a request's head; the smallest that hyper takes.
const HEAD_BYTES: usize = 8192;
/// Of a request.
const MAX_HEADERS: usize = 64;
/// At the same time; more wait.
const CONNECTIONS: usize = 256;
/// For requests under way when the server is stopped.
const STOP_TIME: Duration = Duration::from_secs(2);

/// `serve`.
pub(crate) fn run(args: &ServeArgs) -> Result<Exit, ExpectedError> {
    let ui = match &args.ui {
        Some(folder) => Some(ui::Ui::open(folder)?),
        None => embedded(),
    };
    let source = detect::source(args.from_file.as_deref());
    // Known before the first visitor: a machine without a driver can still serve the page.
    if let Err(error) = source.report() {
        if error.exit != Exit::NoGpu {
            return Err(error);
        }
        output::say(&format!(
            "note: {}; /v1/host answers so until that changes",
            error.message
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .build()
        .map_err(|error| internal("cannot start", &error))?;
    let served = runtime.block_on(serve(args, source, ui));
    runtime.shutdown_timeout(STOP_TIME);
    served
}

#[cfg(feature = "embed-ui")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn embedded() -> Option<ui::Ui> {
    Some(ui::Ui::embedded())
}

#[cfg(not(feature = "embed-ui"))]
const fn embedded() -> Option<ui::Ui> {
    None
}

fn internal(what: &str, error: &io::Error) -> ExpectedError {
    ExpectedError::new(Exit::Internal, format!("{what}: {error}"))
}

async fn serve(
    args: &ServeArgs,
    source: Box<dyn detect::GpuSource>,
    ui: Option<ui::Ui>,
) -> Result<Exit, ExpectedError> {
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        internal(&format!("cannot listen on {}", args.listen), &error)
            .help("Another server may use this port; choose one with --listen 127.0.0.1:PORT.")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| internal("cannot listen", &error))?;
    let has_ui = ui.is_some();
    let access = Access::new(address, &args.allow_origin)?;
    let token = if address.ip().is_loopback() {
        None
    } else {
        Some(Token::random()?)
    };
    let query = token
        .as_ref()
        .map_or_else(String::new, |token| format!("?{}={}", token::NAME, token.text()));
    let beyond = token.is_some();
    let router = Arc::new(Router::new(access, token, source, ui));
    let page = if has_ui { " (the page)" } else { "" };
    output::complain(&format!(
        "listening on http://{address}/{query}{page}; the report is at /v1/host{query}; Ctrl-C stops"
    ));
    if beyond {
        output::say(
            "caution: other machines can reach this address; whoever has the token can read the report",
        );
    }
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::select! {
        () = accept(&listener, &router, &slots) => {}
        stopped = stop_signal() => stopped.map_err(|error| internal("cannot wait for Ctrl-C", &error))?,
    }
    drop(listener);
    // All slots are free once the last connection has ended.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = timeout(STOP_TIME, slots.acquire_many(all)).await;
    output::say("stopped");
    Ok(Exit::Ok)
}

async fn accept(listener: &TcpListener, router: &Arc<Router>, slots: &Arc<Semaphore>) {
    loop {
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(router), slot));
            }
            // Too many open files, mostly: wait instead of spinning.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(stream: TcpStream, router: Arc<Router>, slot: OwnedSemaphorePermit) {
    let service = service_fn(move |request| respond(request, Arc::clone(&router)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    // A visitor who breaks off or dawdles is no event.
    let _ = timeout(CONNECTION_TIME, connection).await;
    drop(slot);
}

async fn respond(
    request: Request<Incoming>,
    router: Arc<Router>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, _body) = request.into_parts();
    let answer = match router.answer(&head) {
        Reply::Now(answer) => answer,
        // The driver may be slow: not on the thread of the sockets.
        Reply::AskDriver => tokio::task::spawn_blocking(move || router.ask_driver(&head.headers))
            .await
            .unwrap_or_else(|_| Answer::problem(StatusCode::INTERNAL_SERVER_ERROR, "internal error", None)),
    };
    Ok(answer.into_response())
}

#[cfg(unix)]
async fn stop_signal() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

//! A layer around every call: what all such layers have in common, so that each says only what it does.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

/// The answer to a call, still to come.
pub type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

/// What is done around a call.
pub trait Around: Clone {
    /// Answers a call; `inner` is the rest of the way.
    fn around<F, E>(&self, request: Request<Body>, inner: impl FnOnce(Request<Body>) -> F) -> Answer<E>
    where
        F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
        E: Send + 'static;
}

/// Puts it around every call of a server.
#[derive(Clone)]
pub struct AroundLayer<A>(pub A);

impl<S, A: Around> Layer<S> for AroundLayer<A> {
    type Service = Surrounded<S, A>;

    fn layer(&self, inner: S) -> Surrounded<S, A> {
        let around = self.0.clone();
        Surrounded { inner, around }
    }
}

/// See [`AroundLayer`].
#[derive(Clone)]
pub struct Surrounded<S, A> {
    inner: S,
    around: A,
}

impl<S, A: Around> Service<Request<Body>> for Surrounded<S, A>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.around.around(request, |request| self.inner.call(request))
    }
}

//! What a request to the Engine API means, read once and written anew.

pub mod elements;
mod existing;
mod fields;
pub mod json;
mod key;
pub mod mount;
pub mod operation;
mod path;
mod placeholder;
mod query;
mod read;
pub mod reference;
pub mod schema;
mod schemas;
pub mod swarm_address;
mod tables;
mod verbatim;
mod versions;

use std::fmt;

use crate::cut::cut;

pub use existing::{
    CallingContainer, DaemonDefaults, ENABLE_ICC, Endpoint, ExistingContainer, ExistingExec,
    ExistingImage, ExistingNetwork, ExistingVolume, Kind, OWNER_LABEL, Owned, OwnedContainer,
    Resources, containers_at, error_message, existing_exec, is_false, owned_containers, owned_ids,
    owned_networks, owned_volumes, service_of_task,
};
pub use fields::Field;
use json::Value;
pub use key::Key;
pub use operation::{BodyKind, Hijack, Operation};
pub use path::{ApiVersion, Target};
pub use placeholder::{HIDDEN, HIDDEN_BYTES};
pub use query::Query;
pub use read::UnknownField;
pub(crate) use read::shorten;
use schema::Limit;
pub use schemas::{body_of, parameters_of};
pub use versions::{Spoken, told_within};

/// Why a request cannot be read in one way only; answered with 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the method `{0}` is none that the Engine API has")]
    Method(String),
    #[error("the path has two readings: {0}")]
    Path(String),
    #[error("the query has two readings: {0}")]
    Query(String),
    #[error("the header {0}")]
    Header(String),
    #[error("the body is not JSON that can be read in one way: {0}")]
    Json(String),
    #[error("the body: {0}")]
    Body(String),
    #[error(
        "client version {0} is too old. Minimum supported API version is {1}, please upgrade your client to a newer version"
    )]
    TooOld(ApiVersion, ApiVersion),
    #[error("client version {0} is too new. Maximum supported API version is {1}")]
    TooNew(ApiVersion, ApiVersion),
    #[error(
        "gate and Docker daemon share no API version: the gate speaks {0} to {1}, the daemon {2}"
    )]
    NoneShared(ApiVersion, ApiVersion, Spoken),
}

impl Malformed {
    /// The stable code of this fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Method(_) => "malformed-method",
            Self::Path(_) => "malformed-path",
            Self::Query(_) => "malformed-query",
            Self::Header(_) => "malformed-header",
            Self::Json(_) => "malformed-json",
            Self::Body(_) => "malformed-body",
            Self::TooOld(..) => "api-version-too-old",
            Self::TooNew(..) => "api-version-too-new",
            Self::NoneShared(..) => "api-version-not-shared",
        }
    }
}

/// The request line, understood; the body is still to come.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestHead {
    pub method: Method,
    pub target: Target,
    pub query: Query,
}

/// The methods that the daemon's router knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
}

/// A whole request, as the gate understood it and as the daemon will get it.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineRequest {
    pub head: RequestHead,
    pub body: Body,
    /// What the client sent and the daemon does not read: names of parameters and of zero-valued unknown fields.
    pub dropped: Vec<String>,
    /// Unknown fields with a value: each is a reason to refuse.
    pub unknown: Vec<UnknownField>,
    /// Whether [`HIDDEN`] or [`HIDDEN_BYTES`] may stand in the judged body; `false` is certain.
    pub may_hold_placeholder: bool,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    None,
    Json(Value),
    /// Not read; passed on as it comes.
    Stream,
}

impl RequestHead {
    /// Reads method and request target (path and query as they stand in the request line).
    ///
    /// # Errors
    /// [`Malformed`] where the daemon could read them otherwise than the gate.
    pub fn parse(method: &str, target: &str) -> Result<Self, Malformed> {
        let method = Method::parse(method)?;
        let (path, query) = cut(target, b'?').unwrap_or((target, ""));
        let target = Target::parse(method, path)?;
        let query = match target.operation() {
            Some(operation) => Query::parse(operation, query)?,
            None => Query::verbatim(query)?,
        };
        Ok(Self {
            method,
            target,
            query,
        })
    }

    /// Refuses a version outside `lowest ..= highest` in the daemon's own words; no version is the daemon's newest.
    ///
    /// # Errors
    /// [`Malformed::TooOld`] or [`Malformed::TooNew`].
    pub fn check_version(&self, lowest: ApiVersion, highest: ApiVersion) -> Result<(), Malformed> {
        match self.target.version() {
            Some(version) if version < lowest => Err(Malformed::TooOld(version, lowest)),
            Some(version) if version > highest => Err(Malformed::TooNew(version, highest)),
            Some(_) | None => Ok(()),
        }
    }

    /// What is to become of the body that follows this head.
    #[must_use]
    pub fn body_kind(&self) -> BodyKind {
        match self.target.operation() {
            // moby: daemon/server/router/image/image_routes.go, postImagesCreate reads a body only for `fromSrc=-`.
            Some(Operation::ImageCreate) if self.query.get("fromSrc") != Some("-") => {
                BodyKind::None
            }
            Some(operation) => operation.spec().body,
            None => BodyKind::Stream,
        }
    }

    /// The request as it came, its body unread; only for a policy that permits everything.
    #[must_use]
    pub fn unjudged(self) -> EngineRequest {
        let dropped = self.query.dropped().to_vec();
        EngineRequest {
            head: self,
            body: Body::Stream,
            dropped,
            unknown: Vec::new(),
            may_hold_placeholder: false,
        }
    }

    /// Joins the head with its body: the bytes of a judged or dropped body, nothing of a streamed one.
    ///
    /// # Errors
    /// [`Malformed`] where the body has two readings or the wrong types.
    pub fn with_body(self, bytes: &[u8]) -> Result<EngineRequest, Malformed> {
        let mut dropped = self.query.dropped().to_vec();
        let mut unknown = Vec::new();
        let may_hold_placeholder = placeholder::may_stand_in(bytes);
        let body = match self.body_kind() {
            BodyKind::Stream => Body::Stream,
            BodyKind::None => {
                read::refuse_legacy_body(self.target.operation(), bytes)?;
                Body::None
            }
            BodyKind::Json => match self.target.operation().and_then(body_of) {
                // moby: daemon/server/httputils/httputils.go, ReadJSON takes an empty body for no body.
                _ if bytes.is_empty() => Body::None,
                Some(shape) => {
                    // A placeholder is looked for in every value.
                    let leaves = !may_hold_placeholder;
                    let mut reading = read::Reading::of(self.target.operation(), leaves);
                    let value = reading.body(bytes, shape)?;
                    dropped.append(&mut reading.dropped);
                    unknown = reading.unknown;
                    Body::Json(value)
                }
                // An operation that is not modelled: the decision refuses it whatever it carries.
                None => Body::None,
            },
        };
        Ok(EngineRequest {
            head: self,
            body,
            dropped,
            unknown,
            may_hold_placeholder,
        })
    }
}

impl EngineRequest {
    /// The operation, `None` for a path outside the model.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.head.target.operation()
    }

    /// The path and query to send to the daemon.
    #[must_use]
    pub fn target(&self) -> String {
        let mut target = String::with_capacity(USUAL_TARGET);
        self.head.target.write(&mut target);
        self.head.query.write(&mut target);
        target
    }

    /// Shows the query's parameters and the judged body's fields that are present, each with how it is judged.
    pub fn each_field(&self, mut show: impl FnMut(&Field<'_>)) {
        self.head.query.each_field(&mut show);
        if let (Body::Json(value), Some(shape)) = (&self.body, self.operation().and_then(body_of)) {
            let mut path = String::with_capacity(USUAL_PATH);
            fields::each(value, shape, &mut path, &mut show);
        }
    }

    /// Shows every value of the judged body that is held against a limit; cheaper than [`Self::each_field`].
    pub fn limited_values<'a>(&'a self, mut show: impl FnMut(Limit, &'a Value)) {
        if let (Body::Json(value), Some(shape)) = (&self.body, self.operation().and_then(body_of)) {
            fields::limited(value, shape, &mut show);
        }
    }

    /// Whether the daemon takes the connection over after its answer to this request.
    ///
    /// moby: daemon/server/router/container/exec.go, a detached exec start answers like any other request.
    #[must_use]
    pub fn hijack(&self) -> Hijack {
        match (self.operation(), &self.body) {
            (Some(Operation::ExecStart), Body::Json(body))
                if body.get("Detach") == Some(&Value::Bool(true)) =>
            {
                Hijack::No
            }
            (Some(operation), _) => operation.spec().hijack,
            (None, _) => Hijack::No,
        }
    }
}

/// Of most fields, in bytes.
const USUAL_PATH: usize = 128;
/// Of most requests, in bytes.
const USUAL_TARGET: usize = 160;

impl Method {
    fn parse(text: &str) -> Result<Self, Malformed> {
        Ok(match text {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            other => return Err(Malformed::Method(other.chars().take(20).collect())),
        })
    }

    /// The method as the request line has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! A registry that answers
//! [Confluent's REST calls](https://docs.confluent.io/platform/current/schema-registry/develop/api.html).

use std::time::Duration;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::json;
use ureq::Agent;

use super::{Store, Version};
use crate::{Error, Result};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The kind of content that the registry speaks.
const CONTENT: &str = "application/vnd.schemaregistry.v1+json";

pub(super) struct Rest {
    agent: Agent,
    /// Without a slash at its end, and without name and password.
    url: String,
    authorization: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    schema: String,
    #[serde(rename = "schemaType", default)]
    kind: Option<String>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    version: i32,
    #[serde(default)]
    id: i32,
}

#[derive(Deserialize)]
struct Added {
    id: i32,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Rest {
    pub fn connect(url: &str) -> Result<Rest> {
        let wrong = |have: String| {
            Error::new("this is no address of a schema registry")
                .have(have)
                .hint("Registry::connect(\"http://localhost:8081\")?")
        };
        if url.starts_with("https://") {
            // The address may hold a password.
            return Err(wrong(
                "https://: this build speaks http; a local proxy can add TLS".into(),
            ));
        }
        let Some(rest) = url.strip_prefix("http://").filter(|rest| !rest.is_empty()) else {
            return Err(wrong(url.into()));
        };
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let encode = |login| {
            let text = base64::engine::general_purpose::STANDARD.encode(login);
            format!("Basic {text}")
        };
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false);
        let rest = Rest {
            agent: config.build().into(),
            url: format!("http://{}", place.trim_end_matches('/')),
            authorization: login.map(encode),
        };
        rest.get("/subjects")?;
        Ok(rest)
    }

    /// Asks for a path; nothing where the registry says that there is nothing.
    fn get(&self, path: &str) -> Result<Option<String>> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = request.header("Accept", CONTENT).call();
        match self.body(answer)? {
            (404, _) => Ok(None),
            (200..300, body) => Ok(Some(body)),
            (status, body) => Err(self.refused(status, &body)),
        }
    }

    fn post(&self, path: &str, body: &str) -> Result<(u16, String)> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = request.header("Content-Type", CONTENT).send(body);
        self.body(answer)
    }

    fn body(
        &self,
        answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(u16, String)> {
        let silent = |cause: ureq::Error| {
            Error::unreachable("the schema registry does not answer".into())
                .have(format!("{}: {cause}", self.url))
                .hint("Registry::connect(\"http://host:8081\")? with its address, or Registry::in_topic(&cluster)?")
        };
        let mut answer = answer.map_err(silent)?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_string().map_err(silent)?;
        Ok((status, body))
    }

    fn refused(&self, status: u16, body: &str) -> Error {
        let said = serde_json::from_str::<Refusal>(body);
        let said = said.map_or_else(|_| body.chars().take(200).collect(), |said| said.message);
        let hint = match status {
            401 | 403 => "Registry::connect(\"http://user:password@host:8081\")?",
            _ => "registry.subjects()? to see what it holds",
        };
        Error::new("the schema registry refuses")
            .have(format!("status {status}: {said}"))
            .hint(hint)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, body: &str) -> Result<T> {
        serde_json::from_str(body).map_err(|cause| {
            Error::new("this is not the answer of a schema registry")
                .have(format!("{}: {cause}", self.url))
                .hint(
                    "Registry::connect(\"http://localhost:8081\")? with the registry's own address",
                )
        })
    }

    /// Refuses what is kept as Protobuf or JSON schema.
    fn avro(&self, found: &Found) -> Result<()> {
        match found.kind.as_deref() {
            None | Some("AVRO") => Ok(()),
            Some(kind) => Err(Error::new("a schema of this registry is not Avro")
                .have(format!("{kind}, subject {}", found.subject))
                .hint(
                    "topic.protobuf(proto_text, \"Message\")? reads Protobuf without a registry",
                )),
        }
    }
}

impl Store for Rest {
    fn describe(&self) -> String {
        format!("the registry at {}", self.url)
    }

    fn epoch(&self) -> u64 {
        0
    }

    fn schema(&self, id: i32) -> Result<Option<String>> {
        let Some(body) = self.get(&format!("/schemas/ids/{id}"))? else {
            return Ok(None);
        };
        let found: Found = self.read(&body)?;
        self.avro(&found)?;
        Ok(Some(found.schema))
    }

    fn newest(&self, subject: &str) -> Result<Option<Version>> {
        let Some(body) = self.get(&format!("/subjects/{subject}/versions/latest"))? else {
            return Ok(None);
        };
        let found: Found = self.read(&body)?;
        self.avro(&found)?;
        Ok(Some(Version {
            subject: subject.into(),
            version: found.version,
            id: found.id,
            schema: found.schema,
        }))
    }

    fn all(&self) -> Result<Vec<Version>> {
        let body = self.get("/subjects")?.unwrap_or_else(|| "[]".into());
        let mut subjects: Vec<String> = self.read(&body)?;
        subjects.sort();
        let newest = subjects.iter().map(|subject| self.newest(subject));
        Ok(newest
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    fn register(&self, subject: &str, schema: &str) -> Result<i32> {
        let body = json!({ "schema": schema }).to_string();
        match self.post(&format!("/subjects/{subject}/versions"), &body)? {
            (200..300, body) => Ok(self.read::<Added>(&body)?.id),
            (409, body) => {
                let said = self.refused(409, &body).to_string();
                Err(super::breaks(
                    subject,
                    said.lines().nth(1).unwrap_or(&said).trim(),
                ))
            }
            (status, body) => Err(self.refused(status, &body)),
        }
    }
}

//! DescribeConfigs, AlterConfigs and IncrementalAlterConfigs.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse as AlterResult;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as IncrementalResult;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::config_rows::{Row, Wanted, broker_rows, group_rows, topic_rows};
use super::configs::{TopicConfigs, broker_settings, group_settings};
use super::{Brokers, Call, Millis};
use crate::wire::text;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const GROUP: i8 = 32;

/// What incremental changes do to a setting.
const SET: i8 = 0;
const DELETE: i8 = 1;

type Failure = (ResponseError, String);
type Change<'a> = (&'a str, i8, Option<&'a str>);

impl Brokers {
    pub(super) fn describe_configs(
        &self,
        call: &Call,
        body: DescribeConfigsRequest,
    ) -> DescribeConfigsResponse {
        let wanted = Wanted {
            version: call.version,
            synonyms: body.include_synonyms,
            documentation: body.include_documentation,
        };
        let results = body.resources.iter().map(|resource| {
            let result = DescribeConfigsResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone());
            match self.config_rows(resource) {
                Ok(rows) => result.with_configs(
                    rows.into_iter()
                        .filter(|row| is_asked(resource, row.name))
                        .map(|row| row.described(wanted))
                        .collect(),
                ),
                Err((error, message)) => result
                    .with_error_code(error.code())
                    .with_error_message(Some(text(message))),
            }
        });
        DescribeConfigsResponse::default().with_results(results.collect())
    }

    pub(super) fn alter_configs(
        &mut self,
        now_ms: Millis,
        body: AlterConfigsRequest,
    ) -> AlterConfigsResponse {
        let responses = body.resources.iter().map(|resource| {
            let changes: Vec<Change<'_>> = resource
                .configs
                .iter()
                .map(|config| (config.name.as_str(), SET, config.value.as_deref()))
                .collect();
            let fresh = Some(TopicConfigs::default());
            let (kind, name) = (resource.resource_type, &resource.resource_name);
            let result =
                self.change_configs(now_ms, kind, name, fresh, &changes, body.validate_only);
            let (code, message) = outcome(result);
            AlterResult::default()
                .with_error_code(code)
                .with_error_message(message.map(text))
                .with_resource_type(kind)
                .with_resource_name(name.clone())
        });
        AlterConfigsResponse::default().with_responses(responses.collect())
    }

    pub(super) fn incremental_alter_configs(
        &mut self,
        now_ms: Millis,
        body: IncrementalAlterConfigsRequest,
    ) -> IncrementalAlterConfigsResponse {
        let responses = body.resources.iter().map(|resource| {
            let changes: Vec<Change<'_>> = resource
                .configs
                .iter()
                .map(|c| (c.name.as_str(), c.config_operation, c.value.as_deref()))
                .collect();
            let (kind, name) = (resource.resource_type, &resource.resource_name);
            let result =
                self.change_configs(now_ms, kind, name, None, &changes, body.validate_only);
            let (code, message) = outcome(result);
            IncrementalResult::default()
                .with_error_code(code)
                .with_error_message(message.map(text))
                .with_resource_type(kind)
                .with_resource_name(name.clone())
        });
        IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
    }

    fn config_rows(&self, resource: &DescribeConfigsResource) -> Result<Vec<Row>, Failure> {
        let name = resource.resource_name.as_str();
        match resource.resource_type {
            TOPIC => {
                let topic = self.topics.get(name).ok_or_else(|| no_topic(name))?;
                Ok(topic_rows(&topic.configs))
            }
            BROKER => {
                let node = self.nodes.iter().find(|node| node.id.to_string() == name);
                let node = node.ok_or_else(|| {
                    (
                        ResponseError::InvalidRequest,
                        format!("there is no broker {name}"),
                    )
                })?;
                let rows = broker_settings(node.id, self.nodes.len(), &self.settings);
                Ok(broker_rows(rows))
            }
            GROUP => Ok(group_rows(group_settings(&self.settings))),
            other => Err(unknown_resource(other)),
        }
    }

    /// Applies all changes to one topic, or none of them.
    fn change_configs(
        &mut self,
        now_ms: Millis,
        kind: i8,
        name: &str,
        start_from: Option<TopicConfigs>,
        changes: &[Change<'_>],
        validate_only: bool,
    ) -> Result<(), Failure> {
        if kind != TOPIC {
            return Err(unknown_resource(kind));
        }
        let topic = self.topics.get_mut(name).ok_or_else(|| no_topic(name))?;
        let mut configs = start_from.unwrap_or_else(|| topic.configs.clone());
        for &(setting, operation, value) in changes {
            let value = match operation {
                SET => value,
                DELETE => None,
                _ => {
                    return Err((
                        ResponseError::InvalidRequest,
                        format!("{setting}: lists are set as a whole here"),
                    ));
                }
            };
            configs
                .set(setting, value)
                .map_err(|why| (ResponseError::InvalidConfig, why))?;
        }
        if !validate_only {
            topic.configs = configs;
            self.report_topic(name);
            self.elect_offline(now_ms, name);
            self.schedule_retention(now_ms);
            self.schedule_cleaning(now_ms);
        }
        Ok(())
    }
}

fn is_asked(resource: &DescribeConfigsResource, name: &str) -> bool {
    match &resource.configuration_keys {
        // Older clients ask for all settings with an empty list.
        Some(keys) if !keys.is_empty() => keys.iter().any(|key| key.as_str() == name),
        _ => true,
    }
}

fn outcome(result: Result<(), Failure>) -> (i16, Option<String>) {
    match result {
        Ok(()) => (0, None),
        Err((error, message)) => (error.code(), Some(message)),
    }
}

fn no_topic(name: &str) -> Failure {
    (
        ResponseError::UnknownTopicOrPartition,
        format!("there is no topic {name}"),
    )
}

fn unknown_resource(kind: i8) -> Failure {
    (
        ResponseError::InvalidRequest,
        format!("resource type {kind} has no settings here"),
    )
}

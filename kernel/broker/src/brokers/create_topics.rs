//! CreateTopics, DeleteTopics and CreatePartitions.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
};

use super::Partition;
use super::configs::{TOPIC_SETTINGS, TopicConfigs};
use super::topics::check_new_topic;
use super::{Brokers, Call, Millis};
use crate::wire::text;

type Failure = (ResponseError, String);

/// A topic that was made, or could be.
struct Made {
    id: uuid::Uuid,
    partitions: i32,
    replication: usize,
    configs: TopicConfigs,
}

impl Brokers {
    pub(super) fn create_topics(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: CreateTopicsRequest,
    ) -> CreateTopicsResponse {
        let topics = body.topics.iter().map(|asked| {
            let result = CreatableTopicResult::default().with_name(asked.name.clone());
            match self.create_topic(now_ms, asked, body.validate_only) {
                Ok(made) => created(result, &made, call.version),
                Err((error, message)) => result
                    .with_error_code(error.code())
                    .with_error_message(Some(text(message)))
                    .with_configs(Some(Vec::new())),
            }
        });
        let response = CreateTopicsResponse::default().with_topics(topics.collect());
        self.schedule_retention(now_ms);
        response
    }

    fn create_topic(
        &mut self,
        now_ms: Millis,
        asked: &CreatableTopic,
        validate_only: bool,
    ) -> Result<Made, Failure> {
        let name = asked.name.as_str();
        let replicas = self.asked_replicas(asked)?;
        let partitions = replicas.len() as i32;
        let replication = replicas.first().map_or(0, Vec::len);
        let mut configs = TopicConfigs::default();
        for config in &asked.configs {
            configs
                .set(&config.name, config.value.as_deref())
                .map_err(|why| (ResponseError::InvalidConfig, why))?;
        }
        let refused = |error| (error, refusal(error, name));
        if validate_only {
            check_new_topic(&self.topics, name).map_err(refused)?;
            self.check_partitions(partitions).map_err(refused)?;
            let id = uuid::Uuid::nil();
            return Ok(Made {
                id,
                partitions,
                replication,
                configs,
            });
        }
        let id = self
            .add_topic(now_ms, name, replicas, configs.clone())
            .map_err(refused)?;
        Ok(Made {
            id,
            partitions,
            replication,
            configs,
        })
    }

    /// Returns the replicas of each partition that a creator wants, who names them or gives two
    /// numbers.
    fn asked_replicas(&self, asked: &CreatableTopic) -> Result<Vec<Vec<i32>>, Failure> {
        let nodes = self.nodes.len();
        if !asked.assignments.is_empty() {
            return self.assigned_replicas(asked);
        }
        let replication = match asked.replication_factor {
            -1 => self.default_replication(),
            wanted if (1..=nodes as i32).contains(&i32::from(wanted)) => wanted as usize,
            wanted => {
                return Err((
                    ResponseError::InvalidReplicationFactor,
                    format!(
                        "Unable to replicate the partition {wanted} time(s): only {nodes} broker(s) are registered."
                    ),
                ));
            }
        };
        let count = match asked.num_partitions {
            -1 => self.settings.partitions,
            count if count > 0 => count,
            count => {
                return Err((
                    ResponseError::InvalidPartitions,
                    format!(
                        "Number of partitions was set to an invalid non-positive value: {count}"
                    ),
                ));
            }
        };
        // Refused before anything is made for so many.
        self.check_partitions(count)
            .map_err(|error| (error, refusal(error, &asked.name)))?;
        Ok(self.spread(count, replication))
    }

    /// Returns the replicas that a creator named for each partition.
    fn assigned_replicas(&self, asked: &CreatableTopic) -> Result<Vec<Vec<i32>>, Failure> {
        if asked.num_partitions != -1 || asked.replication_factor != -1 {
            return Err((
                ResponseError::InvalidRequest,
                "Replica assignments and a number of partitions cannot both be given".to_owned(),
            ));
        }
        let mut given: Vec<_> = asked.assignments.iter().collect();
        given.sort_by_key(|assignment| assignment.partition_index);
        let in_order = (0..).zip(&given).all(|(i, a)| a.partition_index == i);
        let replicas: Vec<Vec<i32>> = given
            .iter()
            .map(|assignment| assignment.broker_ids.iter().map(|id| id.0).collect())
            .collect();
        let why = match replicas.iter().find_map(|nodes| self.misplaced(nodes)) {
            _ if !in_order => Some("partitions are to be numbered from 0 on".to_owned()),
            None if replicas.iter().any(|r| r.len() != replicas[0].len()) => {
                Some("all partitions are to have the same number of replicas".to_owned())
            }
            why => why,
        };
        match why {
            Some(why) => Err((ResponseError::InvalidReplicaAssignment, why)),
            None => Ok(replicas),
        }
    }

    /// Returns why these nodes cannot hold one partition.
    fn misplaced(&self, nodes: &[i32]) -> Option<String> {
        let unknown = nodes
            .iter()
            .find(|id| !self.nodes.iter().any(|n| n.id == **id));
        let twice = (1..nodes.len()).find(|&at| nodes[..at].contains(&nodes[at]));
        match (unknown, twice) {
            _ if nodes.is_empty() => Some("a partition has at least one replica".to_owned()),
            (Some(id), _) => Some(format!("there is no broker {id}")),
            (_, Some(at)) => Some(format!("broker {} is named twice", nodes[at])),
            _ => None,
        }
    }

    pub(super) fn delete_topics(
        &mut self,
        now_ms: Millis,
        call: &Call,
        body: DeleteTopicsRequest,
    ) -> DeleteTopicsResponse {
        let by_name = body
            .topic_names
            .into_iter()
            .map(|name| DeleteTopicState::default().with_name(Some(name)));
        let asked: Vec<DeleteTopicState> = body.topics.into_iter().chain(by_name).collect();
        let responses = asked.into_iter().map(|topic| {
            let known = match &topic.name {
                Some(name) => Some(name.to_string()),
                None => self.topics.name_of(topic.topic_id).map(str::to_owned),
            };
            let result = DeletableTopicResult::default()
                .with_name(known.as_ref().map(|name| TopicName(text(name.as_str()))));
            let id = match &known {
                Some(name) => self.topics.get(name).map(|topic| topic.id),
                None => None,
            };
            let deleted = known.is_some_and(|name| self.remove_topic(now_ms, &name));
            if deleted {
                let id = id.filter(|_| call.version >= 6).unwrap_or_default();
                return result.with_topic_id(id);
            }
            let error = match topic.name {
                Some(_) => ResponseError::UnknownTopicOrPartition,
                None => ResponseError::UnknownTopicId,
            };
            result
                .with_topic_id(topic.topic_id)
                .with_error_code(error.code())
        });
        DeleteTopicsResponse::default().with_responses(responses.collect())
    }

    pub(super) fn create_partitions(
        &mut self,
        now_ms: Millis,
        body: CreatePartitionsRequest,
    ) -> CreatePartitionsResponse {
        let results = body.topics.iter().map(|asked| {
            let result = CreatePartitionsTopicResult::default().with_name(asked.name.clone());
            match self.grow_topic(now_ms, asked, body.validate_only) {
                Ok(()) => result,
                Err((error, message)) => result
                    .with_error_code(error.code())
                    .with_error_message(Some(text(message))),
            }
        });
        CreatePartitionsResponse::default().with_results(results.collect())
    }

    fn grow_topic(
        &mut self,
        now_ms: Millis,
        asked: &CreatePartitionsTopic,
        validate_only: bool,
    ) -> Result<(), Failure> {
        let name = asked.name.as_str();
        let unknown = ResponseError::UnknownTopicOrPartition;
        let topic = self
            .topics
            .get(name)
            .ok_or((unknown, refusal(unknown, name)))?;
        let have = topic.partitions.len() as i32;
        let replication = topic.partitions[0].replicas.len();
        let invalid = ResponseError::InvalidPartitions;
        if asked.count <= have {
            let why = format!(
                "Topic {name} has {have} partition(s); it can only grow, not to {}",
                asked.count
            );
            return Err((invalid, why));
        }
        self.check_partitions(asked.count - have)
            .map_err(|error| (error, refusal(error, name)))?;
        if !validate_only {
            let id = topic.id;
            let fresh: Vec<Partition> = (have..)
                .zip(self.spread(asked.count - have, replication))
                .map(|(index, nodes)| self.new_partition(name, id, index, &nodes))
                .collect();
            let topic = self
                .topics
                .get_mut(name)
                .expect("it was there a moment ago");
            topic.partitions.extend(fresh);
            self.report_topic(name);
            self.announce(now_ms, id, have..asked.count);
        }
        Ok(())
    }
}

fn created(result: CreatableTopicResult, made: &Made, version: i16) -> CreatableTopicResult {
    let configs = &made.configs;
    if version < 5 {
        return result;
    }
    let rows = TOPIC_SETTINGS.iter().map(|setting| {
        let set = configs.overrides().contains_key(setting.name);
        CreatableTopicConfigs::default()
            .with_name(text(setting.name))
            .with_value(configs.get(setting.name).map(text))
            .with_config_source(if set { 1 } else { 5 })
    });
    let result = result
        .with_num_partitions(made.partitions)
        .with_replication_factor(made.replication as i16)
        .with_configs(Some(rows.collect()));
    if version >= 7 {
        result.with_topic_id(made.id)
    } else {
        result
    }
}

fn refusal(error: ResponseError, name: &str) -> String {
    match error {
        ResponseError::TopicAlreadyExists => format!("Topic '{name}' already exists."),
        ResponseError::InvalidTopicException => format!(
            "Topic name is invalid: '{name}' is empty, longer than 249, or has other letters than a-z, A-Z, 0-9, '.', '_' and '-'"
        ),
        ResponseError::InvalidPartitions => {
            "more partitions than this broker was started for".to_owned()
        }
        _ => format!("there is no topic {name}"),
    }
}

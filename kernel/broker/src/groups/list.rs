//! ListGroups, DescribeGroups and DeleteGroups.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest, ListGroupsResponse,
};

use super::group::{Group, Member};
use crate::brokers::{Brokers, Call};
use crate::wire::text;

impl Brokers {
    pub(crate) fn list_groups(&self, call: &Call, body: ListGroupsRequest) -> ListGroupsResponse {
        let wanted = |filter: &[kafka_protocol::protocol::StrBytes], value: &str| {
            filter.is_empty() || filter.iter().any(|name| name.eq_ignore_ascii_case(value))
        };
        let listed = self
            .groups
            .by_name
            .values()
            .filter(|group| wanted(&body.states_filter, group.state_name()))
            .filter(|group| wanted(&body.types_filter, group.kind()))
            // Tools ask every node and put the answers together.
            .filter(|group| self.check_coordinator(call.node, &group.name).is_ok())
            .map(|group| {
                ListedGroup::default()
                    .with_group_id(GroupId(text(group.name.as_str())))
                    .with_protocol_type(text(group.protocol_type.clone().unwrap_or_default()))
                    .with_group_state(text(group.state_name()))
                    .with_group_type(text(group.kind()))
            });
        ListGroupsResponse::default().with_groups(listed.collect())
    }

    pub(crate) fn describe_groups(
        &self,
        call: &Call,
        body: DescribeGroupsRequest,
    ) -> DescribeGroupsResponse {
        let groups = body.groups.into_iter().map(|name| {
            let described = DescribedGroup::default().with_group_id(name.clone());
            match self.groups.get(&name) {
                Some(group) if group.consumer.is_none() => described_group(described, group),
                // From version 6 on a group that is not there is an error (KIP-1043). This request
                // knows classic groups only; ConsumerGroupDescribe tells of the others.
                other if call.version >= 6 => described
                    .with_group_state(text("Dead"))
                    .with_error_code(ResponseError::GroupIdNotFound.code())
                    .with_error_message(Some(text(match other {
                        None => format!("Group {} not found.", *name),
                        Some(_) => format!("Group {} is not a classic group.", *name),
                    }))),
                _ => described.with_group_state(text("Dead")),
            }
        });
        DescribeGroupsResponse::default().with_groups(groups.collect())
    }

    pub(crate) fn delete_groups(&mut self, body: DeleteGroupsRequest) -> DeleteGroupsResponse {
        let results = body.groups_names.into_iter().map(|name| {
            let error = match self.groups.get(&name) {
                None => Some(ResponseError::GroupIdNotFound),
                Some(group) if !group.is_empty() => Some(ResponseError::NonEmptyGroup),
                Some(_) => None,
            };
            if error.is_none() {
                self.groups.remove(&name);
                for id in self.transactions.forget_staged(&name, None) {
                    self.report_transaction(&id);
                }
            }
            DeletableGroupResult::default()
                .with_group_id(name)
                .with_error_code(error.map_or(0, |error| error.code()))
        });
        DeleteGroupsResponse::default().with_results(results.collect())
    }
}

fn described_group(described: DescribedGroup, group: &Group) -> DescribedGroup {
    let protocol = group.protocol.clone().unwrap_or_default();
    let members = group.members.values();
    described
        .with_group_state(text(group.state.name()))
        .with_protocol_type(text(group.protocol_type.clone().unwrap_or_default()))
        .with_members(
            members
                .map(|member| described_member(member, &protocol))
                .collect(),
        )
        .with_protocol_data(text(protocol))
}

fn described_member(member: &Member, protocol: &str) -> DescribedGroupMember {
    DescribedGroupMember::default()
        .with_member_id(text(member.id.as_str()))
        .with_group_instance_id(member.instance.as_deref().map(text))
        .with_client_id(text(member.client_id.as_str()))
        .with_client_host(text(member.client_host.as_str()))
        .with_member_metadata(member.metadata(protocol))
        .with_member_assignment(member.assignment.clone())
}

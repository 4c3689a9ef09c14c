//! An embedded cluster of several nodes, stopped and cut off from a cell.

use headwater_streams::prelude::*;

use crate::assert_says;

#[test]
fn cluster_takes_records_while_a_node_is_stopped_and_tells_what_happened() {
    let cluster = Cluster::embedded_with(nodes(3).replica_lag(seconds(5))).unwrap();
    let topic = cluster.topic("survivors", partitions(1)).unwrap();
    topic.send("k", "{}").unwrap();
    assert_eq!(topic.records().unwrap(), 1);
    let first = cluster.node(1).unwrap();
    first.stop().unwrap();
    // Acknowledged by the node that leads now, and counted there.
    topic.send("k", "{}").unwrap();
    assert_eq!(topic.records().unwrap(), 2);
    let inside = cluster.describe().unwrap();
    assert!(inside.to_string().contains("2 of 3 nodes up"), "{inside}");
    assert_eq!(inside.replicas().unwrap().height(), 3);
    first.start().unwrap();
    cluster.cut(1, 2).unwrap();
    cluster.heal(1, 2).unwrap();
    cluster.isolate(3).unwrap();
    cluster.rejoin(3).unwrap();
    let events = cluster.events().unwrap();
    let lines = events.column("event").unwrap().str().unwrap().clone();
    for told in [
        "node 1 stopped",
        "the link between node 1 and node 2 is whole again",
        "the link between node 3 and the controller was cut",
    ] {
        assert!(lines.iter().flatten().any(|line| line == told), "{lines:?}");
    }
}

#[test]
fn node_that_is_not_there_says_which_are() {
    let cluster = Cluster::embedded_with(nodes(2)).unwrap();
    let error = cluster.node(3).unwrap_err();
    assert_says(
        &error,
        &[
            "no node 3 in this cluster",
            "have: nodes 1 to 2",
            "try:  cluster.node(1)?, or Cluster::embedded_with(nodes(3))? for more of them",
        ],
    );
}

#[test]
fn nodes_of_a_connected_cluster_are_not_ours() {
    let embedded = Cluster::embedded_with(nodes(4)).unwrap();
    let first = embedded.bootstrap().split(',').next().unwrap();
    let connected = Cluster::connect(first).unwrap();
    let error = connected.node(1).unwrap_err();
    assert_says(
        &error,
        &[
            "only the nodes of an embedded cluster can be stopped",
            &format!("have: a connection to {first}"),
            "try:  Cluster::embedded_with(nodes(3))?",
        ],
    );
}

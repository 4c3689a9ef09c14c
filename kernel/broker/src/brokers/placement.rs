//! Which nodes hold the replicas of a new partition: leaders in turn, copies in other racks first.

use super::Brokers;

impl Brokers {
    /// Returns the nodes of `count` new partitions with `replication` replicas each, the
    /// preferred leader first.
    pub(super) fn spread(&self, count: i32, replication: usize) -> Vec<Vec<i32>> {
        let nodes = self.nodes_across_racks();
        // Topics of one partition each have their leaders on different nodes, too.
        let first = self.topics.partitions();
        (0..usize::try_from(count).unwrap_or(0))
            .map(|number| self.pick(&nodes, first + number, replication))
            .collect()
    }

    /// Returns the replication factor of a topic whose creator names none.
    pub(super) fn default_replication(&self) -> usize {
        let wanted = usize::try_from(self.settings.replication_factor).unwrap_or(1);
        wanted.clamp(1, self.nodes.len())
    }

    /// Takes nodes in turn from `start` on: first one of each rack, then the others.
    fn pick(&self, nodes: &[i32], start: usize, replication: usize) -> Vec<i32> {
        let in_turn: Vec<i32> = (0..nodes.len())
            .map(|step| nodes[(start + step) % nodes.len()])
            .collect();
        let mut racks = Vec::new();
        let (mut fresh, mut again) = (Vec::new(), Vec::new());
        for node in in_turn {
            let rack = self.rack(node);
            if rack.is_some() && racks.contains(&rack) {
                again.push(node);
            } else {
                racks.push(rack);
                fresh.push(node);
            }
        }
        fresh.extend(again);
        fresh.truncate(replication);
        fresh
    }

    /// Returns the nodes in an order in which neighbours stand in different racks.
    fn nodes_across_racks(&self) -> Vec<i32> {
        let mut seen: Vec<(Option<&str>, usize)> = Vec::new();
        let mut ranked: Vec<(usize, i32)> = Vec::new();
        for node in &self.nodes {
            let rack = node.rack.as_deref();
            let before = match seen.iter_mut().find(|(known, _)| *known == rack) {
                Some((_, count)) if rack.is_some() => {
                    *count += 1;
                    *count
                }
                _ => {
                    seen.push((rack, 0));
                    0
                }
            };
            ranked.push((before, node.id));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, id)| id).collect()
    }

    fn rack(&self, node: i32) -> Option<&str> {
        let found = self.nodes.iter().find(|known| known.id == node);
        found.and_then(|known| known.rack.as_deref())
    }
}

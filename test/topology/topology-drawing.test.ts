import { describe, expect, it } from 'vitest'
import { StreamsBuilder, serde, type Topology, topic } from '../../src/index.ts'

/** Two sub-topologies joined by a repartition topic, a table that is looked up, two sinks. */
function shops(): Topology {
  const orders = topic('orders', { key: serde.string, value: serde.string })
  const names = topic('names', { key: serde.string, value: serde.string })
  const counts = topic('counts', { key: serde.string, value: serde.int64 })
  const builder = new StreamsBuilder()
  const table = builder.table(names, { store: 'names-store' })
  builder
    .stream(orders)
    .groupBy((order) => order, { name: 'by-shop', key: serde.string })
    .count({ store: 'per-shop' })
    .toStream()
    .join(table, (count, name) => BigInt(count + name.length))
    .to(counts)
  return builder.build()
}

describe('Topology.describe', () => {
  it('draws Mermaid', () => {
    expect(shops().describe('mermaid')).toMatchInlineSnapshot(`
      "flowchart TD
        classDef internal stroke-dasharray: 4
        t0[["names"]]
        t1[["by-shop-repartition"]]:::internal
        t2[["counts"]]
        t3[["orders"]]
        subgraph sub0 ["Sub-topology 0"]
          n0_0(["KSTREAM-SOURCE-0000000000"])
          n0_1["KTABLE-SOURCE-0000000001"]
          n0_2(["by-shop-repartition-source"])
          n0_3["KSTREAM-AGGREGATE-0000000004"]
          n0_4["KTABLE-TOSTREAM-0000000008"]
          n0_5["KSTREAM-JOIN-0000000009"]
          n0_6(["KSTREAM-SINK-0000000010"])
          s0_0[("names-store")]
          s0_1[("per-shop")]
        end
        subgraph sub1 ["Sub-topology 1"]
          n1_0(["KSTREAM-SOURCE-0000000002"])
          n1_1["by-shop"]
          n1_2["by-shop-repartition-filter"]
          n1_3(["by-shop-repartition-sink"])
        end
        t0 --> n0_0
        n0_0 --> n0_1
        n0_1 -.- s0_0
        t1 --> n0_2
        n0_2 --> n0_3
        n0_3 --> n0_4
        n0_3 -.- s0_1
        n0_4 --> n0_5
        n0_5 --> n0_6
        n0_5 -.- s0_0
        n0_6 --> t2
        t3 --> n1_0
        n1_0 --> n1_1
        n1_1 --> n1_2
        n1_2 --> n1_3
        n1_3 --> t1
      "
    `)
  })

  it('draws Graphviz', () => {
    expect(shops().describe('dot')).toMatchInlineSnapshot(`
      "digraph topology {
        t0 [label="names", shape=cds];
        t1 [label="by-shop-repartition", shape=cds, style=dashed];
        t2 [label="counts", shape=cds];
        t3 [label="orders", shape=cds];
        subgraph cluster_0 {
          label="Sub-topology 0";
          n0_0 [label="KSTREAM-SOURCE-0000000000", shape=oval];
          n0_1 [label="KTABLE-SOURCE-0000000001", shape=box];
          n0_2 [label="by-shop-repartition-source", shape=oval];
          n0_3 [label="KSTREAM-AGGREGATE-0000000004", shape=box];
          n0_4 [label="KTABLE-TOSTREAM-0000000008", shape=box];
          n0_5 [label="KSTREAM-JOIN-0000000009", shape=box];
          n0_6 [label="KSTREAM-SINK-0000000010", shape=oval];
          s0_0 [label="names-store", shape=cylinder];
          s0_1 [label="per-shop", shape=cylinder];
        }
        subgraph cluster_1 {
          label="Sub-topology 1";
          n1_0 [label="KSTREAM-SOURCE-0000000002", shape=oval];
          n1_1 [label="by-shop", shape=box];
          n1_2 [label="by-shop-repartition-filter", shape=box];
          n1_3 [label="by-shop-repartition-sink", shape=oval];
        }
        t0 -> n0_0;
        n0_0 -> n0_1;
        n0_1 -> s0_0 [dir=none, style=dotted];
        t1 -> n0_2;
        n0_2 -> n0_3;
        n0_3 -> n0_4;
        n0_3 -> s0_1 [dir=none, style=dotted];
        n0_4 -> n0_5;
        n0_5 -> n0_6;
        n0_5 -> s0_0 [dir=none, style=dotted];
        n0_6 -> t2;
        t3 -> n1_0;
        n1_0 -> n1_1;
        n1_1 -> n1_2;
        n1_2 -> n1_3;
        n1_3 -> t1;
      }
      "
    `)
  })

  it('gives the graph as JSON, in which every name leads to something', () => {
    const graph = JSON.parse(shops().describe('json'))
    const topics = graph.topics.map((each: { name: string }) => each.name)
    expect(graph.topics).toContainEqual({ name: 'by-shop-repartition', internal: true })
    expect(graph.topics).toContainEqual({ name: 'orders', internal: false })
    for (const { nodes, stores } of graph.subTopologies) {
      const names = nodes.map((node: { name: string }) => node.name)
      for (const node of nodes) {
        for (const child of node.children) expect(names).toContain(child)
        for (const store of node.stores) expect(stores).toContain(store)
        for (const each of node.topics) expect(topics).toContain(each)
      }
    }
    expect(graph.subTopologies.flatMap((each: { stores: string[] }) => each.stores).sort()).toEqual([
      'names-store',
      'per-shop',
    ])
  })

  it("is Kafka Streams' text by default, and refuses formats that there are not", () => {
    expect(shops().describe()).toBe(shops().describe('kafka'))
    expect(shops().describe()).toMatch(/^Topologies:/)
    expect(() => shops().describe('svg' as never)).toThrow(/not a format/)
  })
})

import { type Connection, run, type Topology } from 'millrace'

let runs = 0

/** Runs a topology, as a new application, over all that its source topics hold; returns the records it read. */
export async function runToEnd(connection: Connection, topology: Topology): Promise<number> {
  const app = await run(topology, { applicationId: `bench-${runs++}`, cluster: connection, shutdownSignals: [] })
  await app.caughtUp()
  await app.close()
  return app.metrics().recordsIn
}

/** The records in a topic of one partition. */
export async function countOf(connection: Connection, topic: string): Promise<number> {
  const [range] = await connection.offsets([{ topic, partition: 0 }])
  return range.end - range.start
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, connect } from 'millrace'

/** An embedded cluster in a directory that is removed afterwards. */
export async function withScratchCluster<T>(
  flush: 'fsync' | 'page-cache',
  use: (connection: Connection, directory: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const connection = await connect(`embedded:${directory}`, { flush })
    try {
      return await use(connection, directory)
    } finally {
      await connection.close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

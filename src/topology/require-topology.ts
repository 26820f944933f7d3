import { MillraceError } from '../errors.ts'
import type { Topology } from './topology.ts'

/**
 * What plain JavaScript can hand over in place of a topology.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function requireTopology(given: Topology): void {
  const value: unknown = given
  if (typeof value === 'object' && value !== null && 'subTopologies' in value) return
  const isBuilder = typeof value === 'object' && value !== null && 'build' in value
  throw new MillraceError('INVALID_ARGUMENT', isBuilder ? 'This is a builder, not a topology' : 'This is no topology', {
    remedy: isBuilder ? 'Hand over what its build() returns.' : 'Hand over what build() of a StreamsBuilder returns.',
  })
}

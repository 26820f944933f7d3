import { MillraceError } from '../errors.ts'
import { describeTopology } from './describe.ts'
import type { DescriptionFormat, SubTopology } from './topology.ts'
import { drawDot, drawMermaid } from './topology-drawing.ts'
import { topologyGraph } from './topology-graph.ts'

/** @throws MillraceError INVALID_ARGUMENT where there is no such format */
export function descriptionOf(subTopologies: readonly SubTopology[], format: DescriptionFormat): string {
  switch (format) {
    case 'kafka':
      return describeTopology(subTopologies)
    case 'mermaid':
      return drawMermaid(topologyGraph(subTopologies))
    case 'dot':
      return drawDot(topologyGraph(subTopologies))
    case 'json':
      return JSON.stringify(topologyGraph(subTopologies), undefined, 2)
    default:
      throw new MillraceError('INVALID_ARGUMENT', `'${String(format)}' is not a format of descriptions`, {
        remedy: "Use 'kafka', 'mermaid', 'dot' or 'json'.",
      })
  }
}

import type { PartitionAssigner } from 'kafkajs'

/**
 * A way to share out partitions for a group that has one member and wants the named ones alone: kafkajs reads and commits
 * in groups only.
 */
export async function onlyPartitions(assignment: Readonly<Record<string, number[]>>): Promise<PartitionAssigner> {
  const { AssignerProtocol } = await import('kafkajs')
  const userData = Buffer.alloc(0)
  const name = 'named-partitions'
  return () => ({
    name,
    version: 0,
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData }),
    }),
    assign: async ({ members }) =>
      members.map(({ memberId }, i) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment: i === 0 ? assignment : {},
          userData,
        }),
      })),
  })
}

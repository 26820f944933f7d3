export const describeTopicPartitions = {
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexible: '0+',
  request: {
    topics: [
      [
        {
          name: ['string', '0+'],
        },
      ],
      '0+',
    ],
    responsePartitionLimit: ['int32', '0+', { default: 2000 }],
    cursor: [
      {
        topicName: ['string', '0+'],
        partitionIndex: ['int32', '0+'],
      },
      '0+',
      { nullable: '0+', default: null },
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    topics: [
      [
        {
          errorCode: ['int16', '0+'],
          name: ['string', '0+', { nullable: '0+' }],
          topicId: ['uuid', '0+'],
          isInternal: ['bool', '0+'],
          partitions: [
            [
              {
                errorCode: ['int16', '0+'],
                partitionIndex: ['int32', '0+'],
                leaderId: ['int32', '0+'],
                leaderEpoch: ['int32', '0+', { default: -1 }],
                replicaNodes: [['int32'], '0+'],
                isrNodes: [['int32'], '0+'],
                eligibleLeaderReplicas: [['int32'], '0+', { nullable: '0+', default: null }],
                lastKnownElr: [['int32'], '0+', { nullable: '0+', default: null }],
                offlineReplicas: [['int32'], '0+'],
              },
            ],
            '0+',
          ],
          topicAuthorizedOperations: ['int32', '0+', { default: -2147483648 }],
        },
      ],
      '0+',
    ],
    nextCursor: [
      {
        topicName: ['string', '0+'],
        partitionIndex: ['int32', '0+'],
      },
      '0+',
      { nullable: '0+', default: null },
    ],
  },
} as const

export const consumerGroupHeartbeat = {
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: ['string', '0+'],
    memberId: ['string', '0+'],
    memberEpoch: ['int32', '0+'],
    instanceId: ['string', '0+', { nullable: '0+', default: null }],
    rackId: ['string', '0+', { nullable: '0+', default: null }],
    rebalanceTimeoutMs: ['int32', '0+', { default: -1 }],
    subscribedTopicNames: [['string'], '0+', { nullable: '0+', default: null }],
    subscribedTopicRegex: ['string', '1+', { nullable: '1+', default: null }],
    serverAssignor: ['string', '0+', { nullable: '0+', default: null }],
    topicPartitions: [
      [
        {
          topicId: ['uuid', '0+'],
          partitions: [['int32'], '0+'],
        },
      ],
      '0+',
      { nullable: '0+', default: null },
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '0+'],
    errorMessage: ['string', '0+', { nullable: '0+', default: null }],
    memberId: ['string', '0+', { nullable: '0+', default: null }],
    memberEpoch: ['int32', '0+'],
    heartbeatIntervalMs: ['int32', '0+'],
    assignment: [
      {
        topicPartitions: [
          [
            {
              topicId: ['uuid', '0+'],
              partitions: [['int32'], '0+'],
            },
          ],
          '0+',
        ],
      },
      '0+',
      { nullable: '0+', default: null },
    ],
  },
} as const

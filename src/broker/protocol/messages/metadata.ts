export const metadata = {
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexible: '9+',
  request: {
    topics: [
      [
        {
          topicId: ['uuid', '10+'],
          name: ['string', '0+', { nullable: '10+' }],
        },
      ],
      '0+',
      { nullable: '1+' },
    ],
    allowAutoTopicCreation: ['bool', '4+', { default: true }],
    includeClusterAuthorizedOperations: ['bool', '8-10'],
    includeTopicAuthorizedOperations: ['bool', '8+'],
  },
  response: {
    throttleTimeMs: ['int32', '3+'],
    brokers: [
      [
        {
          nodeId: ['int32', '0+'],
          host: ['string', '0+'],
          port: ['int32', '0+'],
          rack: ['string', '1+', { nullable: '1+', default: null }],
        },
      ],
      '0+',
    ],
    clusterId: ['string', '2+', { nullable: '2+', default: null }],
    controllerId: ['int32', '1+', { default: -1 }],
    topics: [
      [
        {
          errorCode: ['int16', '0+'],
          name: ['string', '0+', { nullable: '12+' }],
          topicId: ['uuid', '10+'],
          isInternal: ['bool', '1+'],
          partitions: [
            [
              {
                errorCode: ['int16', '0+'],
                partitionIndex: ['int32', '0+'],
                leaderId: ['int32', '0+'],
                leaderEpoch: ['int32', '7+', { default: -1 }],
                replicaNodes: [['int32'], '0+'],
                isrNodes: [['int32'], '0+'],
                offlineReplicas: [['int32'], '5+'],
              },
            ],
            '0+',
          ],
          topicAuthorizedOperations: ['int32', '8+', { default: -2147483648 }],
        },
      ],
      '0+',
    ],
    clusterAuthorizedOperations: ['int32', '8-10', { default: -2147483648 }],
    errorCode: ['int16', '13+'],
  },
} as const

export const fetch = {
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  flexible: '12+',
  request: {
    clusterId: ['string', '12+', { nullable: '12+', tag: 0, tagged: '12+', default: null }],
    replicaId: ['int32', '0-14', { default: -1 }],
    replicaState: [
      {
        replicaId: ['int32', '15+', { default: -1 }],
        replicaEpoch: ['int64', '15+', { default: -1 }],
      },
      '15+',
      { tag: 1, tagged: '15+' },
    ],
    maxWaitMs: ['int32', '0+'],
    minBytes: ['int32', '0+'],
    maxBytes: ['int32', '3+', { default: 2147483647 }],
    isolationLevel: ['int8', '4+'],
    sessionId: ['int32', '7+'],
    sessionEpoch: ['int32', '7+', { default: -1 }],
    topics: [
      [
        {
          topic: ['string', '0-12'],
          topicId: ['uuid', '13+'],
          partitions: [
            [
              {
                partition: ['int32', '0+'],
                currentLeaderEpoch: ['int32', '9+', { default: -1 }],
                fetchOffset: ['int64', '0+'],
                lastFetchedEpoch: ['int32', '12+', { default: -1 }],
                logStartOffset: ['int64', '5+', { default: -1 }],
                partitionMaxBytes: ['int32', '0+'],
                replicaDirectoryId: ['uuid', '17+', { tag: 0, tagged: '17+' }],
                highWatermark: ['int64', '18+', { tag: 1, tagged: '18+' }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    forgottenTopicsData: [
      [
        {
          topic: ['string', '7-12'],
          topicId: ['uuid', '13+'],
          partitions: [['int32'], '7+'],
        },
      ],
      '7+',
    ],
    rackId: ['string', '11+'],
  },
  response: {
    throttleTimeMs: ['int32', '1+'],
    errorCode: ['int16', '7+'],
    sessionId: ['int32', '7+'],
    responses: [
      [
        {
          topic: ['string', '0-12'],
          topicId: ['uuid', '13+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                errorCode: ['int16', '0+'],
                highWatermark: ['int64', '0+'],
                lastStableOffset: ['int64', '4+', { default: -1 }],
                logStartOffset: ['int64', '5+', { default: -1 }],
                divergingEpoch: [
                  {
                    epoch: ['int32', '12+', { default: -1 }],
                    endOffset: ['int64', '12+', { default: -1 }],
                  },
                  '12+',
                  { tag: 0, tagged: '12+' },
                ],
                currentLeader: [
                  {
                    leaderId: ['int32', '12+', { default: -1 }],
                    leaderEpoch: ['int32', '12+', { default: -1 }],
                  },
                  '12+',
                  { tag: 1, tagged: '12+' },
                ],
                snapshotId: [
                  {
                    endOffset: ['int64', '0+', { default: -1 }],
                    epoch: ['int32', '0+', { default: -1 }],
                  },
                  '12+',
                  { tag: 2, tagged: '12+' },
                ],
                abortedTransactions: [
                  [
                    {
                      producerId: ['int64', '4+'],
                      firstOffset: ['int64', '4+'],
                    },
                  ],
                  '4+',
                  { nullable: '4+' },
                ],
                preferredReadReplica: ['int32', '11+', { default: -1 }],
                records: ['records', '0+', { nullable: '0+' }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    nodeEndpoints: [
      [
        {
          nodeId: ['int32', '16+'],
          host: ['string', '16+'],
          port: ['int32', '16+'],
          rack: ['string', '16+', { nullable: '16+', default: null }],
        },
      ],
      '16+',
      { tag: 0, tagged: '16+' },
    ],
  },
} as const

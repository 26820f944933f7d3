export const listOffsets = {
  key: 2,
  name: 'ListOffsets',
  versions: '1-10',
  flexible: '6+',
  request: {
    replicaId: ['int32', '0+'],
    isolationLevel: ['int8', '2+'],
    topics: [
      [
        {
          name: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                currentLeaderEpoch: ['int32', '4+', { default: -1 }],
                timestamp: ['int64', '0+'],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    timeoutMs: ['int32', '10+'],
  },
  response: {
    throttleTimeMs: ['int32', '2+'],
    topics: [
      [
        {
          name: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                errorCode: ['int16', '0+'],
                timestamp: ['int64', '1+', { default: -1 }],
                offset: ['int64', '1+', { default: -1 }],
                leaderEpoch: ['int32', '4+', { default: -1 }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
  },
} as const

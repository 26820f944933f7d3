export const offsetForLeaderEpoch = {
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  flexible: '4+',
  request: {
    replicaId: ['int32', '3+', { default: -2 }],
    topics: [
      [
        {
          topic: ['string', '0+'],
          partitions: [
            [
              {
                partition: ['int32', '0+'],
                currentLeaderEpoch: ['int32', '2+', { default: -1 }],
                leaderEpoch: ['int32', '0+'],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
  },
  response: {
    throttleTimeMs: ['int32', '2+'],
    topics: [
      [
        {
          topic: ['string', '0+'],
          partitions: [
            [
              {
                errorCode: ['int16', '0+'],
                partition: ['int32', '0+'],
                leaderEpoch: ['int32', '1+', { default: -1 }],
                endOffset: ['int64', '0+', { default: -1 }],
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

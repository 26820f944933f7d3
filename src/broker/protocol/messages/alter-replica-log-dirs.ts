export const alterReplicaLogDirs = {
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: '1-2',
  flexible: '2+',
  request: {
    dirs: [
      [
        {
          path: ['string', '0+'],
          topics: [
            [
              {
                name: ['string', '0+'],
                partitions: [['int32'], '0+'],
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
    throttleTimeMs: ['int32', '0+'],
    results: [
      [
        {
          topicName: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                errorCode: ['int16', '0+'],
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

export const listPartitionReassignments = {
  key: 46,
  name: 'ListPartitionReassignments',
  versions: '0',
  flexible: '0+',
  request: {
    timeoutMs: ['int32', '0+', { default: 60000 }],
    topics: [
      [
        {
          name: ['string', '0+'],
          partitionIndexes: [['int32'], '0+'],
        },
      ],
      '0+',
      { nullable: '0+', default: null },
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '0+'],
    errorMessage: ['string', '0+', { nullable: '0+' }],
    topics: [
      [
        {
          name: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                replicas: [['int32'], '0+'],
                addingReplicas: [['int32'], '0+'],
                removingReplicas: [['int32'], '0+'],
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

export const describeProducers = {
  key: 61,
  name: 'DescribeProducers',
  versions: '0',
  flexible: '0+',
  request: {
    topics: [
      [
        {
          name: ['string', '0+'],
          partitionIndexes: [['int32'], '0+'],
        },
      ],
      '0+',
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    topics: [
      [
        {
          name: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                errorCode: ['int16', '0+'],
                errorMessage: ['string', '0+', { nullable: '0+', default: null }],
                activeProducers: [
                  [
                    {
                      producerId: ['int64', '0+'],
                      producerEpoch: ['int32', '0+'],
                      lastSequence: ['int32', '0+', { default: -1 }],
                      lastTimestamp: ['int64', '0+', { default: -1 }],
                      coordinatorEpoch: ['int32', '0+'],
                      currentTxnStartOffset: ['int64', '0+', { default: -1 }],
                    },
                  ],
                  '0+',
                ],
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

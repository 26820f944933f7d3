export const addPartitionsToTxn = {
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexible: '3+',
  request: {
    transactions: [
      [
        {
          transactionalId: ['string', '4+'],
          producerId: ['int64', '4+'],
          producerEpoch: ['int16', '4+'],
          verifyOnly: ['bool', '4+'],
          topics: [
            [
              {
                name: ['string', '0+'],
                partitions: [['int32'], '0+'],
              },
            ],
            '4+',
          ],
        },
      ],
      '4+',
    ],
    v3AndBelowTransactionalId: ['string', '0-3'],
    v3AndBelowProducerId: ['int64', '0-3'],
    v3AndBelowProducerEpoch: ['int16', '0-3'],
    v3AndBelowTopics: [
      [
        {
          name: ['string', '0+'],
          partitions: [['int32'], '0+'],
        },
      ],
      '0-3',
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '4+'],
    resultsByTransaction: [
      [
        {
          transactionalId: ['string', '4+'],
          topicResults: [
            [
              {
                name: ['string', '0+'],
                resultsByPartition: [
                  [
                    {
                      partitionIndex: ['int32', '0+'],
                      partitionErrorCode: ['int16', '0+'],
                    },
                  ],
                  '0+',
                ],
              },
            ],
            '4+',
          ],
        },
      ],
      '4+',
    ],
    resultsByTopicV3AndBelow: [
      [
        {
          name: ['string', '0+'],
          resultsByPartition: [
            [
              {
                partitionIndex: ['int32', '0+'],
                partitionErrorCode: ['int16', '0+'],
              },
            ],
            '0+',
          ],
        },
      ],
      '0-3',
    ],
  },
} as const

export const writeTxnMarkers = {
  key: 27,
  name: 'WriteTxnMarkers',
  versions: '1',
  flexible: '1+',
  request: {
    markers: [
      [
        {
          producerId: ['int64', '0+'],
          producerEpoch: ['int16', '0+'],
          transactionResult: ['bool', '0+'],
          topics: [
            [
              {
                name: ['string', '0+'],
                partitionIndexes: [['int32'], '0+'],
              },
            ],
            '0+',
          ],
          coordinatorEpoch: ['int32', '0+'],
        },
      ],
      '0+',
    ],
  },
  response: {
    markers: [
      [
        {
          producerId: ['int64', '0+'],
          topics: [
            [
              {
                name: ['string', '0+'],
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
      ],
      '0+',
    ],
  },
} as const

export const txnOffsetCommit = {
  key: 28,
  name: 'TxnOffsetCommit',
  versions: '0-5',
  flexible: '3+',
  request: {
    transactionalId: ['string', '0+'],
    groupId: ['string', '0+'],
    producerId: ['int64', '0+'],
    producerEpoch: ['int16', '0+'],
    generationId: ['int32', '3+', { default: -1 }],
    memberId: ['string', '3+'],
    groupInstanceId: ['string', '3+', { nullable: '3+', default: null }],
    topics: [
      [
        {
          name: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                committedOffset: ['int64', '0+'],
                committedLeaderEpoch: ['int32', '2+', { default: -1 }],
                committedMetadata: ['string', '0+', { nullable: '0+' }],
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
} as const

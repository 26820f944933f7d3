export const offsetFetch = {
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  flexible: '6+',
  request: {
    groupId: ['string', '0-7'],
    topics: [
      [
        {
          name: ['string', '0-7'],
          partitionIndexes: [['int32'], '0-7'],
        },
      ],
      '0-7',
      { nullable: '2-7' },
    ],
    groups: [
      [
        {
          groupId: ['string', '8+'],
          memberId: ['string', '9+', { nullable: '9+', default: null }],
          memberEpoch: ['int32', '9+', { default: -1 }],
          topics: [
            [
              {
                name: ['string', '8-9'],
                topicId: ['uuid', '10+'],
                partitionIndexes: [['int32'], '8+'],
              },
            ],
            '8+',
            { nullable: '8+' },
          ],
        },
      ],
      '8+',
    ],
    requireStable: ['bool', '7+'],
  },
  response: {
    throttleTimeMs: ['int32', '3+'],
    topics: [
      [
        {
          name: ['string', '0-7'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0-7'],
                committedOffset: ['int64', '0-7'],
                committedLeaderEpoch: ['int32', '5-7', { default: -1 }],
                metadata: ['string', '0-7', { nullable: '0-7' }],
                errorCode: ['int16', '0-7'],
              },
            ],
            '0-7',
          ],
        },
      ],
      '0-7',
    ],
    errorCode: ['int16', '2-7'],
    groups: [
      [
        {
          groupId: ['string', '8+'],
          topics: [
            [
              {
                name: ['string', '8-9'],
                topicId: ['uuid', '10+'],
                partitions: [
                  [
                    {
                      partitionIndex: ['int32', '8+'],
                      committedOffset: ['int64', '8+'],
                      committedLeaderEpoch: ['int32', '8+', { default: -1 }],
                      metadata: ['string', '8+', { nullable: '8+' }],
                      errorCode: ['int16', '8+'],
                    },
                  ],
                  '8+',
                ],
              },
            ],
            '8+',
          ],
          errorCode: ['int16', '8+'],
        },
      ],
      '8+',
    ],
  },
} as const

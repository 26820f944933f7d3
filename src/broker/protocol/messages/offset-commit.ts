export const offsetCommit = {
  key: 8,
  name: 'OffsetCommit',
  versions: '2-10',
  flexible: '8+',
  request: {
    groupId: ['string', '0+'],
    generationIdOrMemberEpoch: ['int32', '1+', { default: -1 }],
    memberId: ['string', '1+'],
    groupInstanceId: ['string', '7+', { nullable: '7+', default: null }],
    retentionTimeMs: ['int64', '2-4', { default: -1 }],
    topics: [
      [
        {
          name: ['string', '0-9'],
          topicId: ['uuid', '10+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                committedOffset: ['int64', '0+'],
                committedLeaderEpoch: ['int32', '6+', { default: -1 }],
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
    throttleTimeMs: ['int32', '3+'],
    topics: [
      [
        {
          name: ['string', '0-9'],
          topicId: ['uuid', '10+'],
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

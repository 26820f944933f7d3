export const offsetDelete = {
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  flexible: 'none',
  request: {
    groupId: ['string', '0+'],
    topics: [
      [
        {
          name: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
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
    errorCode: ['int16', '0+'],
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

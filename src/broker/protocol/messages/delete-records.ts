export const deleteRecords = {
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  flexible: '2+',
  request: {
    topics: [
      [
        {
          name: ['string', '0+'],
          partitions: [
            [
              {
                partitionIndex: ['int32', '0+'],
                offset: ['int64', '0+'],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    timeoutMs: ['int32', '0+'],
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
                lowWatermark: ['int64', '0+'],
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

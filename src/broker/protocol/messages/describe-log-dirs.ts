export const describeLogDirs = {
  key: 35,
  name: 'DescribeLogDirs',
  versions: '1-4',
  flexible: '2+',
  request: {
    topics: [
      [
        {
          topic: ['string', '0+'],
          partitions: [['int32'], '0+'],
        },
      ],
      '0+',
      { nullable: '0+' },
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '3+'],
    results: [
      [
        {
          errorCode: ['int16', '0+'],
          logDir: ['string', '0+'],
          topics: [
            [
              {
                name: ['string', '0+'],
                partitions: [
                  [
                    {
                      partitionIndex: ['int32', '0+'],
                      partitionSize: ['int64', '0+'],
                      offsetLag: ['int64', '0+'],
                      isFutureKey: ['bool', '0+'],
                    },
                  ],
                  '0+',
                ],
              },
            ],
            '0+',
          ],
          totalBytes: ['int64', '4+', { default: -1 }],
          usableBytes: ['int64', '4+', { default: -1 }],
        },
      ],
      '0+',
    ],
  },
} as const

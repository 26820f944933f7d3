export const describeUserScramCredentials = {
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request: {
    users: [
      [
        {
          name: ['string', '0+'],
        },
      ],
      '0+',
      { nullable: '0+' },
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '0+'],
    errorMessage: ['string', '0+', { nullable: '0+' }],
    results: [
      [
        {
          user: ['string', '0+'],
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '0+', { nullable: '0+' }],
          credentialInfos: [
            [
              {
                mechanism: ['int8', '0+'],
                iterations: ['int32', '0+'],
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

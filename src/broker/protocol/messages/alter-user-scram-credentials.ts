export const alterUserScramCredentials = {
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request: {
    deletions: [
      [
        {
          name: ['string', '0+'],
          mechanism: ['int8', '0+'],
        },
      ],
      '0+',
    ],
    upsertions: [
      [
        {
          name: ['string', '0+'],
          mechanism: ['int8', '0+'],
          iterations: ['int32', '0+'],
          salt: ['bytes', '0+'],
          saltedPassword: ['bytes', '0+'],
        },
      ],
      '0+',
    ],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    results: [
      [
        {
          user: ['string', '0+'],
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '0+', { nullable: '0+' }],
        },
      ],
      '0+',
    ],
  },
} as const

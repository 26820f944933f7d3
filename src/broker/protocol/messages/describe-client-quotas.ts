export const describeClientQuotas = {
  key: 48,
  name: 'DescribeClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request: {
    components: [
      [
        {
          entityType: ['string', '0+'],
          matchType: ['int8', '0+'],
          match: ['string', '0+', { nullable: '0+' }],
        },
      ],
      '0+',
    ],
    strict: ['bool', '0+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '0+'],
    errorMessage: ['string', '0+', { nullable: '0+' }],
    entries: [
      [
        {
          entity: [
            [
              {
                entityType: ['string', '0+'],
                entityName: ['string', '0+', { nullable: '0+' }],
              },
            ],
            '0+',
          ],
          values: [
            [
              {
                key: ['string', '0+'],
                value: ['float64', '0+'],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
      { nullable: '0+' },
    ],
  },
} as const

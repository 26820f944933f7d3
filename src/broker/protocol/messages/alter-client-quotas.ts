export const alterClientQuotas = {
  key: 49,
  name: 'AlterClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request: {
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
          ops: [
            [
              {
                key: ['string', '0+'],
                value: ['float64', '0+'],
                remove: ['bool', '0+'],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    validateOnly: ['bool', '0+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    entries: [
      [
        {
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '0+', { nullable: '0+' }],
          entity: [
            [
              {
                entityType: ['string', '0+'],
                entityName: ['string', '0+', { nullable: '0+' }],
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

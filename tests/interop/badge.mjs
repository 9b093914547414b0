// An Open Badge 3.0 as somebody else would write it, not as `knack issue` does.
import {CONTEXT_OPEN_BADGES, CONTEXT_V2} from './libraries/digitalbazaar.mjs';

/** SQL, in ESCO. */
export const SQL = 'http://data.europa.eu/esco/skill/598de5b0-5b58-4ea7-8058-a4bc4d18c742';

/** An unsigned badge for SQL at level 4 of 5. */
export function openBadge(issuer, subject) {
  const level = level => ({
    id: `https://badges.example/levels/${level}`, type: ['RubricCriterionLevel'], name: `Level ${level}`, level: `${level}`
  });
  return {
    '@context': [CONTEXT_V2, CONTEXT_OPEN_BADGES],
    id: 'https://badges.example/credentials/3732',
    type: ['VerifiableCredential', 'OpenBadgeCredential'],
    name: 'Datenbanken I – Prüfung',
    issuer: {id: issuer, type: ['Profile'], name: 'Hochschule Beispiel'},
    validFrom: '2026-01-01T00:00:00Z',
    validUntil: '2090-01-01T00:00:00Z',
    credentialSubject: {
      type: ['AchievementSubject'],
      id: subject,
      achievement: {
        id: 'https://badges.example/achievements/sql',
        type: ['Achievement'],
        name: 'Datenbanken I',
        description: 'Entwurf und Abfrage relationaler Datenbanken',
        criteria: {narrative: 'Schriftliche Prüfung, mit Erfolg abgelegt'},
        alignment: [{
          type: ['Alignment'], targetName: 'SQL', targetUrl: SQL, targetFramework: 'ESCO', targetType: 'ext:ESCO'
        }],
        resultDescription: [{
          id: 'https://badges.example/scale', type: ['ResultDescription'], name: 'Stufe', resultType: 'RubricCriterionLevel',
          rubricCriterionLevel: [1, 2, 3, 4, 5].map(level)
        }]
      },
      result: [{
        type: ['Result'], resultDescription: 'https://badges.example/scale', achievedLevel: 'https://badges.example/levels/4'
      }]
    }
  };
}

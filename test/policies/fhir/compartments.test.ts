import { describe, expect, it } from 'vitest';
import { FHIR_VERSIONS, type FhirVersion } from '../../../contracts/policy.ts';
import { definitionsOf } from '../../../policies/fhir/definitions/index.ts';

/**
 * `Type:parameters` as HL7 published them: R4 from CompartmentDefinition-patient of 4.0.1, STU3 from that of 3.0.1 (package
 * hl7.fhir.core), DSTU2 from the page "Compartment Patient" of 1.0.2. Chained criteria (`target.patient`, `agent.patient`)
 * are no parameters of the type and are left out.
 */
const PUBLISHED: Readonly<Record<FhirVersion, string>> = {
  R4: `
    Account:subject AdverseEvent:subject AllergyIntolerance:patient,recorder,asserter Appointment:actor
    AppointmentResponse:actor AuditEvent:patient Basic:patient,author BodyStructure:patient
    CarePlan:patient,performer CareTeam:patient,participant ChargeItem:subject Claim:patient,payee
    ClaimResponse:patient ClinicalImpression:subject Communication:subject,sender,recipient
    CommunicationRequest:subject,sender,recipient,requester Composition:subject,author,attester
    Condition:patient,asserter Consent:patient Coverage:policy-holder,subscriber,beneficiary,payor
    CoverageEligibilityRequest:patient CoverageEligibilityResponse:patient DetectedIssue:patient
    DeviceRequest:subject,performer DeviceUseStatement:subject DiagnosticReport:subject
    DocumentManifest:subject,author,recipient DocumentReference:subject,author Encounter:patient
    EnrollmentRequest:subject EpisodeOfCare:patient ExplanationOfBenefit:patient,payee
    FamilyMemberHistory:patient Flag:patient Goal:patient Group:member ImagingStudy:patient
    Immunization:patient ImmunizationEvaluation:patient ImmunizationRecommendation:patient
    Invoice:subject,patient,recipient List:subject,source MeasureReport:patient Media:subject
    MedicationAdministration:patient,performer,subject MedicationDispense:subject,patient,receiver
    MedicationRequest:subject MedicationStatement:subject MolecularSequence:patient NutritionOrder:patient
    Observation:subject,performer Patient:link Person:patient Procedure:patient,performer Provenance:patient
    QuestionnaireResponse:subject,author RelatedPerson:patient RequestGroup:subject,participant
    ResearchSubject:individual RiskAssessment:subject Schedule:actor ServiceRequest:subject,performer
    Specimen:subject SupplyDelivery:patient SupplyRequest:subject VisionPrescription:patient`,
  STU3: `
    Account:subject AdverseEvent:subject AllergyIntolerance:patient,recorder,asserter Appointment:actor
    AppointmentResponse:actor AuditEvent:patient Basic:patient,author BodySite:patient
    CarePlan:patient,performer CareTeam:patient,participant ChargeItem:subject Claim:patient,payee
    ClaimResponse:patient ClinicalImpression:subject Communication:subject,sender,recipient
    CommunicationRequest:subject,sender,recipient,requester Composition:subject,author,attester
    Condition:patient,asserter Consent:patient Coverage:policy-holder,subscriber,beneficiary,payor
    DetectedIssue:patient DeviceRequest:subject,requester,performer DeviceUseStatement:subject
    DiagnosticReport:subject DocumentManifest:subject,author,recipient DocumentReference:subject,author
    EligibilityRequest:patient Encounter:patient EnrollmentRequest:subject EpisodeOfCare:patient
    ExplanationOfBenefit:patient,payee FamilyMemberHistory:patient Flag:patient Goal:patient Group:member
    ImagingManifest:patient,author ImagingStudy:patient Immunization:patient
    ImmunizationRecommendation:patient List:subject,source MeasureReport:patient Media:subject
    MedicationAdministration:patient,performer,subject MedicationDispense:subject,patient,receiver
    MedicationRequest:subject MedicationStatement:subject NutritionOrder:patient
    Observation:subject,performer Patient:link Person:patient Procedure:patient,performer
    ProcedureRequest:subject,performer Provenance:patient QuestionnaireResponse:subject,author
    ReferralRequest:patient,requester RelatedPerson:patient RequestGroup:subject,participant
    ResearchSubject:individual RiskAssessment:subject Schedule:actor Specimen:subject SupplyDelivery:patient
    SupplyRequest:requester VisionPrescription:patient`,
  DSTU2: `
    Account:subject AllergyIntolerance:patient,recorder,reporter Appointment:actor AppointmentResponse:actor
    AuditEvent:patient Basic:patient,author BodySite:patient CarePlan:patient,participant,performer
    Claim:patient ClinicalImpression:patient Communication:subject,sender,recipient
    CommunicationRequest:subject,sender,recipient,requester Composition:subject,author,attester
    Condition:patient,asserter DetectedIssue:patient DeviceUseRequest:subject DeviceUseStatement:subject
    DiagnosticOrder:subject DiagnosticReport:subject DocumentManifest:subject,author,recipient
    DocumentReference:subject,author Encounter:patient EnrollmentRequest:subject EpisodeOfCare:patient
    FamilyMemberHistory:patient Flag:patient Goal:patient Group:member ImagingObjectSelection:patient,author
    ImagingStudy:patient Immunization:patient ImmunizationRecommendation:patient List:subject,source
    Media:subject MedicationAdministration:patient MedicationDispense:patient MedicationOrder:patient
    MedicationStatement:patient,source NutritionOrder:patient Observation:subject,performer Order:subject
    Patient:link Person:patient Procedure:patient,performer ProcedureRequest:subject,orderer,performer
    Provenance:patient QuestionnaireResponse:subject,author ReferralRequest:patient,requester
    RelatedPerson:patient RiskAssessment:subject Schedule:actor Specimen:subject SupplyDelivery:patient
    SupplyRequest:patient VisionPrescription:patient`,
};

/** A parameter that looks at nothing in the resource itself, such as the links of a Patient, which is narrowed by its id. */
const BY_ID = 'Patient';

function published(version: FhirVersion): ReadonlyMap<string, readonly string[]> {
  return new Map(
    PUBLISHED[version]
      .trim()
      .split(/\s+/)
      .map((row) => {
        const [type = '', names = ''] = row.split(':');
        return [type, names.split(',')];
      }),
  );
}

describe.each(FHIR_VERSIONS)('the patient compartment of %s', (version) => {
  const definitions = definitionsOf(version);
  const wanted = published(version);

  it('has the types that were published, and no other', () => {
    const narrowed = [...definitions].filter(([, { narrow }]) => narrow !== undefined).map(([type]) => type);
    expect(narrowed.toSorted()).toEqual([...wanted.keys()].toSorted());
  });

  it('looks at every element that a published parameter of it names', () => {
    for (const [type, names] of wanted) {
      if (type === BY_ID) continue;
      const definition = definitions.get(type);
      const looked = [...(definition?.subjects ?? []), ...(definition?.links ?? [])].map((path) =>
        path.join('.'),
      );
      for (const name of names) {
        const parameter = definition?.parameters.get(name);
        expect([type, name, parameter?.kind]).toEqual([type, name, 'r']);
        const unseen = parameter?.paths
          .map((path) => path.join('.'))
          .filter((path) => !looked.includes(path));
        expect([type, name, unseen]).toEqual([type, name, []]);
      }
    }
  });

  it('is searched by a parameter that looks at nothing but the patient, where there is one', () => {
    for (const [type, names] of wanted) {
      const { narrow = '', parameters } = definitions.get(type) ?? { parameters: new Map() };
      const usual = ['patient', 'subject', 'individual', 'beneficiary', '_id', ...names];
      expect([type, usual.includes(narrow), parameters.has(narrow)]).toEqual([type, true, true]);
    }
  });
});

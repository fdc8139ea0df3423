/**
 * The patient compartments of STU3 (3.0.2) and DSTU2 (1.0.2), from the published text of "Compartment Patient", in
 * which each is a table of resource types and search parameters. Chained criteria (`target.subject`) are left out:
 * a resource that is in the compartment by nothing else is not released. R4's is read from its CompartmentDefinition.
 */
export const PUBLISHED_COMPARTMENTS: Readonly<Record<'STU3' | 'DSTU2', string>> = {
  STU3: `
    Account: subject
    AdverseEvent: subject
    AllergyIntolerance: patient recorder asserter
    Appointment: actor
    AppointmentResponse: actor
    AuditEvent: patient
    Basic: patient author
    BodySite: patient
    CarePlan: patient performer
    CareTeam: patient participant
    ChargeItem: subject
    Claim: patient payee
    ClaimResponse: patient
    ClinicalImpression: subject
    Communication: subject sender recipient
    CommunicationRequest: subject sender recipient requester
    Composition: subject author attester
    Condition: patient asserter
    Consent: patient
    Coverage: policy-holder subscriber beneficiary payor
    DetectedIssue: patient
    DeviceRequest: subject requester performer
    DeviceUseStatement: subject
    DiagnosticReport: subject
    DocumentManifest: subject author recipient
    DocumentReference: subject author
    EligibilityRequest: patient
    Encounter: patient
    EnrollmentRequest: subject
    EpisodeOfCare: patient
    ExplanationOfBenefit: patient payee
    FamilyMemberHistory: patient
    Flag: patient
    Goal: patient
    Group: member
    ImagingManifest: patient author
    ImagingStudy: patient
    Immunization: patient
    ImmunizationRecommendation: patient
    List: subject source
    MeasureReport: patient
    Media: subject
    MedicationAdministration: patient performer subject
    MedicationDispense: subject patient receiver
    MedicationRequest: subject
    MedicationStatement: subject
    NutritionOrder: patient
    Observation: subject performer
    Patient: link
    Person: patient
    Procedure: patient performer
    ProcedureRequest: subject performer
    Provenance: patient
    QuestionnaireResponse: subject author
    ReferralRequest: patient requester
    RelatedPerson: patient
    RequestGroup: subject participant
    ResearchSubject: individual
    RiskAssessment: subject
    Schedule: actor
    Specimen: subject
    SupplyDelivery: patient
    SupplyRequest: requester
    VisionPrescription: patient`,
  DSTU2: `
    Account: subject
    AllergyIntolerance: patient recorder reporter
    Appointment: actor
    AppointmentResponse: actor
    AuditEvent: patient
    Basic: patient author
    BodySite: patient
    CarePlan: patient participant performer
    Claim: patient
    ClinicalImpression: patient
    Communication: subject sender recipient
    CommunicationRequest: subject sender recipient requester
    Composition: subject author attester
    Condition: patient asserter
    DetectedIssue: patient
    DeviceUseRequest: subject
    DeviceUseStatement: subject
    DiagnosticOrder: subject
    DiagnosticReport: subject
    DocumentManifest: subject author recipient
    DocumentReference: subject author
    Encounter: patient
    EnrollmentRequest: subject
    EpisodeOfCare: patient
    FamilyMemberHistory: patient
    Flag: patient
    Goal: patient
    Group: member
    ImagingObjectSelection: patient author
    ImagingStudy: patient
    Immunization: patient
    ImmunizationRecommendation: patient
    List: subject source
    Media: subject
    MedicationAdministration: patient
    MedicationDispense: patient
    MedicationOrder: patient
    MedicationStatement: patient source
    NutritionOrder: patient
    Observation: subject performer
    Order: subject
    Patient: link
    Person: patient
    Procedure: patient performer
    ProcedureRequest: subject orderer performer
    Provenance: patient
    QuestionnaireResponse: subject author
    ReferralRequest: patient requester
    RelatedPerson: patient
    RiskAssessment: subject
    Schedule: actor
    Specimen: subject
    SupplyDelivery: patient
    SupplyRequest: patient
    VisionPrescription: patient`,
};

/** Elements that hold a patient too, and that the one path of a search parameter in the source does not tell. */
export const FURTHER_LINKS: Readonly<Record<'STU3' | 'DSTU2', Readonly<Record<string, readonly string[]>>>> =
  {
    STU3: { AuditEvent: ['agent.reference', 'entity.reference'] },
    DSTU2: { AuditEvent: ['participant.reference', 'object.reference'] },
  };

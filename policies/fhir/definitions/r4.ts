// Written by scripts/fhir-definitions.ts from HL7's published definitions (CC0); not edited by hand.
/** Type: narrowing parameter | elements of the subject | other elements that link to a patient | `name:kind[:paths]` … */
export const R4: Readonly<Record<string, string>> = {
  Account:
    'patient|subject||identifier:t:identifier name:s owner:r:owner patient:r:subject period:d status:t:status subject:r:subject type:t:type',
  ActivityDefinition:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  AdverseEvent:
    'subject|subject||actuality:t:actuality category:t:category date:d event:t:event location:r:location recorder:r:recorder resultingcondition:r:resultingCondition seriousness:t:seriousness severity:t:severity study:r:study subject:r:subject substance:r:suspectEntity.instance',
  AllergyIntolerance:
    'patient|patient|asserter,recorder|asserter:r:asserter category:t:category clinical-status:t:clinicalStatus code:t:code,reaction.substance criticality:t:criticality date:d identifier:t:identifier last-date:d manifestation:t:reaction.manifestation onset:d patient:r:patient recorder:r:recorder route:t:reaction.exposureRoute severity:t:reaction.severity type:t:type verification-status:t:verificationStatus',
  Appointment:
    'patient||participant.actor|actor:r:participant.actor appointment-type:t:appointmentType based-on:r:basedOn date:d identifier:t:identifier location:r:participant.actor part-status:t:participant.status patient:r:participant.actor practitioner:r:participant.actor reason-code:t:reasonCode reason-reference:r:reasonReference service-category:t:serviceCategory service-type:t:serviceType slot:r:slot specialty:t:specialty status:t:status supporting-info:r:supportingInformation',
  AppointmentResponse:
    'patient||actor|actor:r:actor appointment:r:appointment identifier:t:identifier location:r:actor part-status:t:participantStatus patient:r:actor practitioner:r:actor',
  AuditEvent:
    'patient||agent.who,entity.what|action:t:action address:s agent:r:agent.who agent-name:s agent-role:t:agent.role altid:t:agent.altId date:d entity:r:entity.what entity-name:s entity-role:t:entity.role entity-type:t:entity.type outcome:t:outcome patient:r:agent.who,entity.what policy:u site:t:source.site source:r:source.observer subtype:t:subtype type:t:type',
  Basic:
    'patient|subject|author|author:r:author code:t:code created:d identifier:t:identifier patient:r:subject subject:r:subject',
  Binary: '|||',
  BiologicallyDerivedProduct: '|||',
  BodyStructure:
    'patient|patient||identifier:t:identifier location:t:location morphology:t:morphology patient:r:patient',
  Bundle: '|||composition:r identifier:t:identifier message:r timestamp:d type:t:type',
  CapabilityStatement:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s fhirversion:t:version format:t:format guide:r:implementationGuide jurisdiction:t:jurisdiction mode:t:rest.mode name:s publisher:s resource:t:rest.resource.type resource-profile:r:rest.resource.profile security-service:t:rest.security.service software:s status:t:status supported-profile:r:rest.resource.supportedProfile title:s url:u version:t:version',
  CarePlan:
    'patient|subject|activity.detail.performer|activity-code:t:activity.detail.code activity-date:d activity-reference:r:activity.reference based-on:r:basedOn care-team:r:careTeam category:t:category condition:r:addresses date:d encounter:r:encounter goal:r:goal identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u intent:t:intent part-of:r:partOf patient:r:subject performer:r:activity.detail.performer replaces:r:replaces status:t:status subject:r:subject',
  CareTeam:
    'patient|subject|participant.member|category:t:category date:d encounter:r:encounter identifier:t:identifier participant:r:participant.member patient:r:subject status:t:status subject:r:subject',
  CatalogEntry: '|||',
  ChargeItem:
    'patient|subject||account:r:account code:t:code context:r:context entered-date:d enterer:r:enterer factor-override:n identifier:t:identifier occurrence:d patient:r:subject performer-actor:r:performer.actor performer-function:t:performer.function performing-organization:r:performingOrganization price-override:q quantity:q requesting-organization:r:requestingOrganization service:r:service subject:r:subject',
  ChargeItemDefinition:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction publisher:s status:t:status title:s url:u version:t:version',
  Claim:
    'patient|patient|payee.party|care-team:r:careTeam.provider created:d detail-udi:r:item.detail.udi encounter:r:item.encounter enterer:r:enterer facility:r:facility identifier:t:identifier insurer:r:insurer item-udi:r:item.udi patient:r:patient payee:r:payee.party priority:t:priority procedure-udi:r:procedure.udi provider:r:provider status:t:status subdetail-udi:r:item.detail.subDetail.udi use:t:use',
  ClaimResponse:
    'patient|patient||created:d disposition:s identifier:t:identifier insurer:r:insurer outcome:t:outcome patient:r:patient payment-date:d request:r:request requestor:r:requestor status:t:status use:t:use',
  ClinicalImpression:
    'patient|subject||assessor:r:assessor date:d encounter:r:encounter finding-code:t:finding.itemCodeableConcept finding-ref:r:finding.itemReference identifier:t:identifier investigation:r:investigation.item patient:r:subject previous:r:previous problem:r:problem status:t:status subject:r:subject supporting-info:r:supportingInfo',
  CodeSystem:
    '|||code:t:concept.code content-mode:t:content context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction language:t:concept.designation.language name:s publisher:s status:t:status supplements:r:supplements system:u title:s url:u version:t:version',
  Communication:
    'patient|subject|recipient,sender|based-on:r:basedOn category:t:category encounter:r:encounter identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u medium:t:medium part-of:r:partOf patient:r:subject received:d recipient:r:recipient sender:r:sender sent:d status:t:status subject:r:subject',
  CommunicationRequest:
    'patient|subject|recipient,requester,sender|authored:d based-on:r:basedOn category:t:category encounter:r:encounter group-identifier:t:groupIdentifier identifier:t:identifier medium:t:medium occurrence:d patient:r:subject priority:t:priority recipient:r:recipient replaces:r:replaces requester:r:requester sender:r:sender status:t:status subject:r:subject',
  CompartmentDefinition:
    '|||code:t:code context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s name:s publisher:s resource:t:resource.code status:t:status url:u version:t:version',
  Composition:
    'patient|subject|attester.party,author|attester:r:attester.party author:r:author category:t:category confidentiality:t:confidentiality context:t:event.code date:d encounter:r:encounter entry:r:section.entry identifier:t:identifier patient:r:subject period:d related-id:t:relatesTo.targetIdentifier related-ref:r:relatesTo.targetReference section:t:section.code status:t:status subject:r:subject title:s type:t:type',
  ConceptMap:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d dependson:u description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s other:r:group.unmapped.url product:u publisher:s source:r:sourceCanonical source-code:t:group.element.code source-system:u source-uri:r:sourceUri status:t:status target:r:targetCanonical target-code:t:group.element.target.code target-system:u target-uri:r:targetUri title:s url:u version:t:version',
  Condition:
    'patient|subject|asserter|abatement-age:q abatement-date:d abatement-string:s asserter:r:asserter body-site:t:bodySite category:t:category clinical-status:t:clinicalStatus code:t:code encounter:r:encounter evidence:t:evidence.code evidence-detail:r:evidence.detail identifier:t:identifier onset-age:q onset-date:d onset-info:s patient:r:subject recorded-date:d severity:t:severity stage:t:stage.summary subject:r:subject verification-status:t:verificationStatus',
  Consent:
    'patient|patient||action:t:provision.action actor:r:provision.actor.reference category:t:category consentor:r:performer data:r:provision.data.reference date:d identifier:t:identifier organization:r:organization patient:r:patient period:d purpose:t:provision.purpose scope:t:scope security-label:t:provision.securityLabel source-reference:r:source status:t:status',
  Contract:
    '|||authority:r:authority domain:r:domain identifier:t:identifier instantiates:u issued:d patient:r:subject signer:r:signer.party status:t:status subject:r:subject url:u',
  Coverage:
    'patient|beneficiary|payor,policyHolder,subscriber|beneficiary:r:beneficiary class-type:t:class.type class-value:s dependent:s identifier:t:identifier patient:r:beneficiary payor:r:payor policy-holder:r:policyHolder status:t:status subscriber:r:subscriber type:t:type',
  CoverageEligibilityRequest:
    'patient|patient||created:d enterer:r:enterer facility:r:facility identifier:t:identifier patient:r:patient provider:r:provider status:t:status',
  CoverageEligibilityResponse:
    'patient|patient||created:d disposition:s identifier:t:identifier insurer:r:insurer outcome:t:outcome patient:r:patient request:r:request requestor:r:requestor status:t:status',
  DetectedIssue:
    'patient|patient||author:r:author code:t:code identified:d identifier:t:identifier implicated:r:implicated patient:r:patient',
  Device:
    '|||device-name:s identifier:t:identifier location:r:location manufacturer:s model:s organization:r:owner patient:r:patient status:t:status type:t:type udi-carrier:s udi-di:s url:u',
  DeviceDefinition: '|||identifier:t:identifier parent:r:parentDevice type:t:type',
  DeviceMetric: '|||category:t:category identifier:t:identifier parent:r:parent source:r:source type:t:type',
  DeviceRequest:
    'patient|subject|performer|authored-on:d based-on:r:basedOn code:t:codeCodeableConcept device:r:codeReference encounter:r:encounter event-date:d group-identifier:t:groupIdentifier identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u insurance:r:insurance intent:t:intent patient:r:subject performer:r:performer prior-request:r:priorRequest requester:r:requester status:t:status subject:r:subject',
  DeviceUseStatement:
    'patient|subject||device:r:device identifier:t:identifier patient:r:subject subject:r:subject',
  DiagnosticReport:
    'patient|subject||based-on:r:basedOn category:t:category code:t:code conclusion:t:conclusionCode date:d encounter:r:encounter identifier:t:identifier issued:d media:r:media.link patient:r:subject performer:r:performer result:r:result results-interpreter:r:resultsInterpreter specimen:r:specimen status:t:status subject:r:subject',
  DocumentManifest:
    'patient|subject|author,recipient|author:r:author created:d description:s identifier:t:masterIdentifier,identifier item:r:content patient:r:subject recipient:r:recipient related-id:t:related.identifier related-ref:r:related.ref source:u status:t:status subject:r:subject type:t:type',
  DocumentReference:
    'patient|subject|author|authenticator:r:authenticator author:r:author category:t:category contenttype:t:content.attachment.contentType custodian:r:custodian date:d description:s encounter:r:context.encounter event:t:context.event facility:t:context.facilityType format:t:content.format identifier:t:masterIdentifier,identifier language:t:content.attachment.language location:u patient:r:subject period:d related:r:context.related relatesto:r:relatesTo.target relation:t:relatesTo.code relationship:c security-label:t:securityLabel setting:t:context.practiceSetting status:t:status subject:r:subject type:t:type',
  EffectEvidenceSynthesis:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status title:s url:u version:t:version',
  Encounter:
    'patient|subject||account:r:account appointment:r:appointment based-on:r:basedOn class:t:class date:d diagnosis:r:diagnosis.condition episode-of-care:r:episodeOfCare identifier:t:identifier length:q location:r:location.location location-period:d part-of:r:partOf participant:r:participant.individual participant-type:t:participant.type patient:r:subject practitioner:r:participant.individual reason-code:t:reasonCode reason-reference:r:reasonReference service-provider:r:serviceProvider special-arrangement:t:hospitalization.specialArrangement status:t:status subject:r:subject type:t:type',
  Endpoint:
    '|||connection-type:t:connectionType identifier:t:identifier name:s organization:r:managingOrganization payload-type:t:payloadType status:t:status',
  EnrollmentRequest:
    'patient|candidate||identifier:t:identifier patient:r:candidate status:t:status subject:r:candidate',
  EnrollmentResponse: '|||identifier:t:identifier request:r:request status:t:status',
  EpisodeOfCare:
    'patient|patient||care-manager:r:careManager condition:r:diagnosis.condition date:d identifier:t:identifier incoming-referral:r:referralRequest organization:r:managingOrganization patient:r:patient status:t:status type:t:type',
  EventDefinition:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  Evidence:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  EvidenceVariable:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  ExampleScenario:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status url:u version:t:version',
  ExplanationOfBenefit:
    'patient|patient|payee.party|care-team:r:careTeam.provider claim:r:claim coverage:r:insurance.coverage created:d detail-udi:r:item.detail.udi disposition:s encounter:r:item.encounter enterer:r:enterer facility:r:facility identifier:t:identifier item-udi:r:item.udi patient:r:patient payee:r:payee.party procedure-udi:r:procedure.udi provider:r:provider status:t:status subdetail-udi:r:item.detail.subDetail.udi',
  FamilyMemberHistory:
    'patient|patient||code:t:condition.code date:d identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u patient:r:patient relationship:t:relationship sex:t:sex status:t:status',
  Flag: 'patient|subject||author:r:author date:d encounter:r:encounter identifier:t:identifier patient:r:subject subject:r:subject',
  Goal: 'patient|subject||achievement-status:t:achievementStatus category:t:category identifier:t:identifier lifecycle-status:t:lifecycleStatus patient:r:subject start-date:d subject:r:subject target-date:d',
  GraphDefinition:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s jurisdiction:t:jurisdiction name:s publisher:s start:t:start status:t:status url:u version:t:version',
  Group:
    'member||member.entity|actual:t:actual characteristic:t:characteristic.code characteristic-value:c code:t:code exclude:t:characteristic.exclude identifier:t:identifier managing-entity:r:managingEntity member:r:member.entity type:t:type value:t:characteristic.valueCodeableConcept,characteristic.valueBoolean',
  GuidanceResponse:
    '|||identifier:t:identifier patient:r:subject request:t:requestIdentifier subject:r:subject',
  HealthcareService:
    '|||active:t:active characteristic:t:characteristic coverage-area:r:coverageArea endpoint:r:endpoint identifier:t:identifier location:r:location name:s organization:r:providedBy program:t:program service-category:t:category service-type:t:type specialty:t:specialty',
  ImagingStudy:
    'patient|subject||basedon:r:basedOn bodysite:t:series.bodySite dicom-class:t:series.instance.sopClass encounter:r:encounter endpoint:r:endpoint,series.endpoint identifier:t:identifier instance:t:series.instance.uid interpreter:r:interpreter modality:t:series.modality patient:r:subject performer:r:series.performer.actor reason:t:reasonCode referrer:r:referrer series:t:series.uid started:d status:t:status subject:r:subject',
  Immunization:
    'patient|patient||date:d identifier:t:identifier location:r:location lot-number:s manufacturer:r:manufacturer patient:r:patient performer:r:performer.actor reaction:r:reaction.detail reaction-date:d reason-code:t:reasonCode reason-reference:r:reasonReference series:s status:t:status status-reason:t:statusReason target-disease:t:protocolApplied.targetDisease vaccine-code:t:vaccineCode',
  ImmunizationEvaluation:
    'patient|patient||date:d dose-status:t:doseStatus identifier:t:identifier immunization-event:r:immunizationEvent patient:r:patient status:t:status target-disease:t:targetDisease',
  ImmunizationRecommendation:
    'patient|patient||date:d identifier:t:identifier information:r:recommendation.supportingPatientInformation patient:r:patient status:t:recommendation.forecastStatus support:r:recommendation.supportingImmunization target-disease:t:recommendation.targetDisease vaccine-type:t:recommendation.vaccineCode',
  ImplementationGuide:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r:dependsOn.uri description:s experimental:t:experimental global:r:global.profile jurisdiction:t:jurisdiction name:s publisher:s resource:r:definition.resource.reference status:t:status title:s url:u version:t:version',
  InsurancePlan:
    '|||address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:contact.address.use administered-by:r:administeredBy endpoint:r:endpoint identifier:t:identifier name:s owned-by:r:ownedBy phonetic:s status:t:status type:t:type',
  Invoice:
    'patient|subject|recipient|account:r:account date:d identifier:t:identifier issuer:r:issuer participant:r:participant.actor participant-role:t:participant.role patient:r:subject recipient:r:recipient status:t:status subject:r:subject totalgross:q totalnet:q type:t:type',
  Library:
    '|||composed-of:r content-type:t:content.contentType context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic type:t:type url:u version:t:version',
  Linkage: '|||author:r:author item:r:item.resource source:r:item.resource',
  List: 'patient|subject|source|code:t:code date:d empty-reason:t:emptyReason encounter:r:encounter identifier:t:identifier item:r:entry.item notes:s patient:r:subject source:r:source status:t:status subject:r:subject title:s',
  Location:
    '|||address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use endpoint:r:endpoint identifier:t:identifier name:s near:x operational-status:t:operationalStatus organization:r:managingOrganization partof:r:partOf status:t:status type:t:type',
  Measure:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  MeasureReport:
    'patient|subject||date:d evaluated-resource:r:evaluatedResource identifier:t:identifier measure:r:measure patient:r:subject period:d reporter:r:reporter status:t:status subject:r:subject',
  Media:
    'patient|subject||based-on:r:basedOn created:d device:r:device encounter:r:encounter identifier:t:identifier modality:t:modality operator:r:operator patient:r:subject site:t:bodySite status:t:status subject:r:subject type:t:type view:t:view',
  Medication:
    '|||code:t:code expiration-date:d form:t:form identifier:t:identifier ingredient:r:ingredient.itemReference ingredient-code:t:ingredient.itemCodeableConcept lot-number:t:batch.lotNumber manufacturer:r:manufacturer status:t:status',
  MedicationAdministration:
    'patient|subject|performer.actor|code:t:medicationCodeableConcept context:r:context device:r:device effective-time:d identifier:t:identifier medication:r:medicationReference patient:r:subject performer:r:performer.actor reason-given:t:reasonCode reason-not-given:t:statusReason request:r:request status:t:status subject:r:subject',
  MedicationDispense:
    'patient|subject|receiver|code:t:medicationCodeableConcept context:r:context destination:r:destination identifier:t:identifier medication:r:medicationReference patient:r:subject performer:r:performer.actor prescription:r:authorizingPrescription receiver:r:receiver responsibleparty:r:substitution.responsibleParty status:t:status subject:r:subject type:t:type whenhandedover:d whenprepared:d',
  MedicationKnowledge:
    '|||classification:t:medicineClassification.classification classification-type:t:medicineClassification.type code:t:code doseform:t:doseForm ingredient:r:ingredient.itemReference ingredient-code:t:ingredient.itemCodeableConcept manufacturer:r:manufacturer monitoring-program-name:t:monitoringProgram.name monitoring-program-type:t:monitoringProgram.type monograph:r:monograph.source monograph-type:t:monograph.type source-cost:t:cost.source status:t:status',
  MedicationRequest:
    'patient|subject||authoredon:d category:t:category code:t:medicationCodeableConcept date:d encounter:r:encounter identifier:t:identifier intended-dispenser:r:dispenseRequest.performer intended-performer:r:performer intended-performertype:t:performerType intent:t:intent medication:r:medicationReference patient:r:subject priority:t:priority requester:r:requester status:t:status subject:r:subject',
  MedicationStatement:
    'patient|subject||category:t:category code:t:medicationCodeableConcept context:r:context effective:d identifier:t:identifier medication:r:medicationReference part-of:r:partOf patient:r:subject source:r:informationSource status:t:status subject:r:subject',
  MedicinalProduct: '|||identifier:t:identifier name:s name-language:t:name.countryLanguage.language',
  MedicinalProductAuthorization:
    '|||country:t:country holder:r:holder identifier:t:identifier status:t:status subject:r:subject',
  MedicinalProductContraindication: '|||subject:r:subject',
  MedicinalProductIndication: '|||subject:r:subject',
  MedicinalProductIngredient: '|||',
  MedicinalProductInteraction: '|||subject:r:subject',
  MedicinalProductManufactured: '|||',
  MedicinalProductPackaged: '|||identifier:t:identifier subject:r:subject',
  MedicinalProductPharmaceutical:
    '|||identifier:t:identifier route:t:routeOfAdministration.code target-species:t:routeOfAdministration.targetSpecies.code',
  MedicinalProductUndesirableEffect: '|||subject:r:subject',
  MessageDefinition:
    '|||category:t:category context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s event:t:event focus:t:focus.code identifier:t:identifier jurisdiction:t:jurisdiction name:s parent:r:parent publisher:s status:t:status title:s url:u version:t:version',
  MessageHeader:
    '|||author:r:author code:t:response.code destination:s destination-uri:u enterer:r:enterer event:t:event focus:r:focus receiver:r:destination.receiver response-id:t:response.identifier responsible:r:responsible sender:r:sender source:s source-uri:u target:r:destination.target',
  MolecularSequence:
    'patient|patient||chromosome:t:referenceSeq.chromosome chromosome-variant-coordinate:c chromosome-window-coordinate:c identifier:t:identifier patient:r:patient referenceseqid:t:referenceSeq.referenceSeqId referenceseqid-variant-coordinate:c referenceseqid-window-coordinate:c type:t:type variant-end:n variant-start:n window-end:n window-start:n',
  NamingSystem:
    '|||contact:s context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s id-type:t:uniqueId.type jurisdiction:t:jurisdiction kind:t:kind name:s period:d publisher:s responsible:s status:t:status telecom:t:contact.telecom type:t:type value:s',
  NutritionOrder:
    'patient|patient||additive:t:enteralFormula.additiveType datetime:d encounter:r:encounter formula:t:enteralFormula.baseFormulaType identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u oraldiet:t:oralDiet.type patient:r:patient provider:r:orderer status:t:status supplement:t:supplement.type',
  Observation:
    'patient|subject|performer|based-on:r:basedOn category:t:category code:t:code code-value-concept:c code-value-date:c code-value-quantity:c code-value-string:c combo-code:t:code,component.code combo-code-value-concept:c combo-code-value-quantity:c combo-data-absent-reason:t:dataAbsentReason,component.dataAbsentReason combo-value-concept:t:valueCodeableConcept,component.valueCodeableConcept combo-value-quantity:q component-code:t:component.code component-code-value-concept:c component-code-value-quantity:c component-data-absent-reason:t:component.dataAbsentReason component-value-concept:t:component.valueCodeableConcept component-value-quantity:q data-absent-reason:t:dataAbsentReason date:d derived-from:r:derivedFrom device:r:device encounter:r:encounter focus:r:focus has-member:r:hasMember identifier:t:identifier method:t:method part-of:r:partOf patient:r:subject performer:r:performer specimen:r:specimen status:t:status subject:r:subject value-concept:t:valueCodeableConcept value-date:d value-quantity:q value-string:s',
  ObservationDefinition: '|||',
  OperationDefinition:
    '|||base:r:base code:t:code context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s input-profile:r:inputProfile instance:t:instance jurisdiction:t:jurisdiction kind:t:kind name:s output-profile:r:outputProfile publisher:s status:t:status system:t:system title:s type:t:type url:u version:t:version',
  OperationOutcome: '|||',
  Organization:
    '|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use endpoint:r:endpoint identifier:t:identifier name:s partof:r:partOf phonetic:s type:t:type',
  OrganizationAffiliation:
    '|||active:t:active date:d email:t endpoint:r:endpoint identifier:t:identifier location:r:location network:r:network participating-organization:r:participatingOrganization phone:t primary-organization:r:organization role:t:code service:r:healthcareService specialty:t:specialty telecom:t:telecom',
  Patient:
    '_id|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use birthdate:d death-date:d deceased:t email:t family:s gender:t:gender general-practitioner:r:generalPractitioner given:s identifier:t:identifier language:t:communication.language link:r:link.other name:s organization:r:managingOrganization phone:t phonetic:s telecom:t:telecom',
  PaymentNotice:
    '|||created:d identifier:t:identifier payment-status:t:paymentStatus provider:r:provider request:r:request response:r:response status:t:status',
  PaymentReconciliation:
    '|||created:d disposition:s identifier:t:identifier outcome:t:outcome payment-issuer:r:paymentIssuer request:r:request requestor:r:requestor status:t:status',
  Person:
    'patient||link.target|address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use birthdate:d email:t gender:t:gender identifier:t:identifier link:r:link.target name:s organization:r:managingOrganization patient:r:link.target phone:t phonetic:s practitioner:r:link.target relatedperson:r:link.target telecom:t:telecom',
  PlanDefinition:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d definition:r:action.definition depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic type:t:type url:u version:t:version',
  Practitioner:
    '|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use communication:t:communication email:t family:s gender:t:gender given:s identifier:t:identifier name:s phone:t phonetic:s telecom:t:telecom',
  PractitionerRole:
    '|||active:t:active date:d email:t endpoint:r:endpoint identifier:t:identifier location:r:location organization:r:organization phone:t practitioner:r:practitioner role:t:code service:r:healthcareService specialty:t:specialty telecom:t:telecom',
  Procedure:
    'patient|subject|performer.actor|based-on:r:basedOn category:t:category code:t:code date:d encounter:r:encounter identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u location:r:location part-of:r:partOf patient:r:subject performer:r:performer.actor reason-code:t:reasonCode reason-reference:r:reasonReference status:t:status subject:r:subject',
  Provenance:
    'patient||target|agent:r:agent.who agent-role:t:agent.role agent-type:t:agent.type entity:r:entity.what location:r:location patient:r:target recorded:d signature-type:t:signature.type target:r:target when:d',
  Questionnaire:
    '|||code:t:item.code context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d definition:u description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status subject-type:t:subjectType title:s url:u version:t:version',
  QuestionnaireResponse:
    'patient|subject|author|author:r:author authored:d based-on:r:basedOn encounter:r:encounter identifier:t:identifier part-of:r:partOf patient:r:subject questionnaire:r:questionnaire source:r:source status:t:status subject:r:subject',
  RelatedPerson:
    'patient|patient||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use birthdate:d email:t gender:t:gender identifier:t:identifier name:s patient:r:patient phone:t phonetic:s relationship:t:relationship telecom:t:telecom',
  RequestGroup:
    'patient|subject|action.participant|author:r:author authored:d code:t:code encounter:r:encounter group-identifier:t:groupIdentifier identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u intent:t:intent participant:r:action.participant patient:r:subject priority:t:priority status:t:status subject:r:subject',
  ResearchDefinition:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  ResearchElementDefinition:
    '|||composed-of:r context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  ResearchStudy:
    '|||category:t:category date:d focus:t:focus identifier:t:identifier keyword:t:keyword location:t:location partof:r:partOf principalinvestigator:r:principalInvestigator protocol:r:protocol site:r:site sponsor:r:sponsor status:t:status title:s',
  ResearchSubject:
    'patient|individual||date:d identifier:t:identifier individual:r:individual patient:r:individual status:t:status study:r:study',
  RiskAssessment:
    'patient|subject||condition:r:condition date:d encounter:r:encounter identifier:t:identifier method:t:method patient:r:subject performer:r:performer probability:n risk:t:prediction.qualitativeRisk subject:r:subject',
  RiskEvidenceSynthesis:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status title:s url:u version:t:version',
  Schedule:
    'actor||actor|active:t:active actor:r:actor date:d identifier:t:identifier service-category:t:serviceCategory service-type:t:serviceType specialty:t:specialty',
  SearchParameter:
    '|||base:t:base code:t:code component:r:component.definition context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d derived-from:r:derivedFrom description:s jurisdiction:t:jurisdiction name:s publisher:s status:t:status target:t:target type:t:type url:u version:t:version',
  ServiceRequest:
    'patient|subject|performer|authored:d based-on:r:basedOn body-site:t:bodySite category:t:category code:t:code encounter:r:encounter identifier:t:identifier instantiates-canonical:r:instantiatesCanonical instantiates-uri:u intent:t:intent occurrence:d patient:r:subject performer:r:performer performer-type:t:performerType priority:t:priority replaces:r:replaces requester:r:requester requisition:t:requisition specimen:r:specimen status:t:status subject:r:subject',
  Slot: '|||appointment-type:t:appointmentType identifier:t:identifier schedule:r:schedule service-category:t:serviceCategory service-type:t:serviceType specialty:t:specialty start:d status:t:status',
  Specimen:
    'patient|subject||accession:t:accessionIdentifier bodysite:t:collection.bodySite collected:d collector:r:collection.collector container:t:container.type container-id:t:container.identifier identifier:t:identifier parent:r:parent patient:r:subject status:t:status subject:r:subject type:t:type',
  SpecimenDefinition: '|||container:t:typeTested.container.type identifier:t:identifier type:t:typeCollected',
  StructureDefinition:
    '|||abstract:t:abstract base:r:baseDefinition base-path:t:snapshot.element.base.path,differential.element.base.path context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d derivation:t:derivation description:s experimental:t:experimental ext-context:t:context.type identifier:t:identifier jurisdiction:t:jurisdiction keyword:t:keyword kind:t:kind name:s path:t:snapshot.element.path,differential.element.path publisher:s status:t:status title:s type:u url:u valueset:r:snapshot.element.binding.valueSet version:t:version',
  StructureMap:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status title:s url:u version:t:version',
  Subscription:
    '|||contact:t:contact criteria:s payload:t:channel.payload status:t:status type:t:channel.type url:u',
  Substance:
    '|||category:t:category code:t:code,ingredient.substanceCodeableConcept container-identifier:t:instance.identifier expiry:d identifier:t:identifier quantity:q status:t:status substance-reference:r:ingredient.substanceReference',
  SubstanceNucleicAcid: '|||',
  SubstancePolymer: '|||',
  SubstanceProtein: '|||',
  SubstanceReferenceInformation: '|||',
  SubstanceSourceMaterial: '|||',
  SubstanceSpecification: '|||code:t:code.code',
  SupplyDelivery:
    'patient|patient||identifier:t:identifier patient:r:patient receiver:r:receiver status:t:status supplier:r:supplier',
  SupplyRequest:
    'subject|deliverTo||category:t:category date:d identifier:t:identifier requester:r:requester status:t:status subject:r:deliverTo supplier:r:supplier',
  Task: '|||authored-on:d based-on:r:basedOn business-status:t:businessStatus code:t:code encounter:r:encounter focus:r:focus group-identifier:t:groupIdentifier identifier:t:identifier intent:t:intent modified:d owner:r:owner part-of:r:partOf patient:r:for performer:t:performerType period:d priority:t:priority requester:r:requester status:t:status subject:r:for',
  TerminologyCapabilities:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s jurisdiction:t:jurisdiction name:s publisher:s status:t:status title:s url:u version:t:version',
  TestReport:
    '|||identifier:t:identifier issued:d participant:u result:t:result tester:s testscript:r:testScript',
  TestScript:
    '|||context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status testscript-capability:s title:s url:u version:t:version',
  ValueSet:
    '|||code:t:expansion.contains.code,compose.include.concept.code context:t:useContext.valueCodeableConcept context-quantity:q context-type:t:useContext.code context-type-quantity:c context-type-value:c date:d description:s expansion:u identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s reference:u status:t:status title:s url:u version:t:version',
  VerificationResult: '|||target:r:target',
  VisionPrescription:
    'patient|patient||datewritten:d encounter:r:encounter identifier:t:identifier patient:r:patient prescriber:r:prescriber status:t:status',
};

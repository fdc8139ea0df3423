// Written by scripts/fhir-definitions.ts from HL7's published definitions (CC0); not edited by hand.
/** Type: narrowing parameter | elements of the subject | other elements that link to a patient | `name:kind[:paths]` … */
export const STU3: Readonly<Record<string, string>> = {
  Account:
    'patient|subject||balance:q identifier:t:identifier name:s owner:r:owner patient:r:subject period:d status:t:status subject:r:subject type:t:type',
  ActivityDefinition:
    '|||composed-of:r date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  AdverseEvent:
    'subject|subject||category:t:category date:d location:r:location reaction:r:reaction recorder:r:recorder seriousness:t:seriousness study:r:study subject:r:subject substance:r:suspectEntity.instance type:t:type',
  AllergyIntolerance:
    'patient|patient|asserter,recorder|asserter:r:asserter category:t:category clinical-status:t:clinicalStatus code:t:code criticality:t:criticality date:d identifier:t:identifier last-date:d manifestation:t:reaction.manifestation onset:d patient:r:patient recorder:r:recorder route:t:reaction.exposureRoute severity:t:reaction.severity type:t:type verification-status:t:verificationStatus',
  Appointment:
    'patient||participant.actor|actor:r:participant.actor appointment-type:t:appointmentType date:d identifier:t:identifier incomingreferral:r:incomingReferral location:r:participant.actor part-status:t:participant.status patient:r:participant.actor practitioner:r:participant.actor service-type:t:serviceType status:t:status',
  AppointmentResponse:
    'patient||actor|actor:r:actor appointment:r:appointment identifier:t:identifier location:r:actor part-status:t:participantStatus patient:r:actor practitioner:r:actor',
  AuditEvent:
    'patient||agent.reference,entity.reference|action:t:action address:s agent:r:agent.reference agent-name:s agent-role:t:agent.role altid:t:agent.altId date:d entity:r:entity.reference entity-id:t:entity.identifier entity-name:s entity-role:t:entity.role entity-type:t:entity.type outcome:t:outcome patient:r:agent.reference policy:u site:t:source.site source:t:source.identifier subtype:t:subtype type:t:type user:t:agent.userId',
  Basic:
    'patient|subject|author|author:r:author code:t:code created:d identifier:t:identifier patient:r:subject subject:r:subject',
  Binary: '|||contenttype:t:contentType',
  BodySite: 'patient|patient||code:t:code identifier:t:identifier patient:r:patient',
  Bundle: '|||composition:r identifier:t:identifier message:r type:t:type',
  CapabilityStatement:
    '|||date:d description:s event:t:messaging.event.code fhirversion:t:version format:t:format guide:u jurisdiction:t:jurisdiction mode:t:rest.mode name:s publisher:s resource:t:rest.resource.type resource-profile:r:rest.resource.profile security-service:t:rest.security.service software:s status:t:status supported-profile:r:profile title:s url:u version:t:version',
  CarePlan:
    'patient|subject|activity.detail.performer|activity-code:t:activity.detail.code activity-date:d activity-reference:r:activity.reference based-on:r:basedOn care-team:r:careTeam category:t:category condition:r:addresses context:r:context date:d definition:r:definition encounter:r:context goal:r:goal identifier:t:identifier intent:t:intent part-of:r:partOf patient:r:subject performer:r:activity.detail.performer replaces:r:replaces status:t:status subject:r:subject',
  CareTeam:
    'patient|subject|participant.member|category:t:category context:r:context date:d encounter:r:context identifier:t:identifier participant:r:participant.member patient:r:subject status:t:status subject:r:subject',
  ChargeItem:
    'patient|subject||account:r:account code:t:code context:r:context entered-date:d enterer:r:enterer factor-override:n identifier:t:identifier occurrence:d participant-actor:r:participant.actor participant-role:t:participant.role patient:r:subject performing-organization:r:performingOrganization price-override:q quantity:q requesting-organization:r:requestingOrganization service:r:service subject:r:subject',
  Claim:
    'patient|patient|payee.party|care-team:r:careTeam.provider created:d encounter:r:item.encounter enterer:r:enterer facility:r:facility identifier:t:identifier insurer:r:insurer organization:r:organization patient:r:patient payee:r:payee.party priority:t:priority provider:r:provider use:t:use',
  ClaimResponse:
    'patient|patient||created:d disposition:s identifier:t:identifier insurer:r:insurer outcome:t:outcome patient:r:patient payment-date:d request:r:request request-provider:r:requestProvider',
  ClinicalImpression:
    'patient|subject||action:r:action assessor:r:assessor context:r:context date:d finding-code:t:finding.itemCodeableConcept finding-ref:r:finding.itemReference identifier:t:identifier investigation:r:investigation.item patient:r:subject previous:r:previous problem:r:problem status:t:status subject:r:subject',
  CodeSystem:
    '|||code:t:concept.code content-mode:t:content date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction language:t:concept.designation.language name:s publisher:s status:t:status system:u title:s url:u version:t:version',
  Communication:
    'patient|subject|recipient,sender|based-on:r:basedOn category:t:category context:r:context definition:r:definition encounter:r:context identifier:t:identifier medium:t:medium part-of:r:partOf patient:r:subject received:d recipient:r:recipient sender:r:sender sent:d status:t:status subject:r:subject',
  CommunicationRequest:
    'patient|subject|recipient,requester.agent,sender|authored:d based-on:r:basedOn category:t:category context:r:context encounter:r:context group-identifier:t:groupIdentifier identifier:t:identifier medium:t:medium occurrence:d patient:r:subject priority:t:priority recipient:r:recipient replaces:r:replaces requester:r:requester.agent sender:r:sender status:t:status subject:r:subject',
  CompartmentDefinition:
    '|||code:t:code date:d description:s jurisdiction:t:jurisdiction name:s publisher:s resource:t:resource.code status:t:status title:s url:u',
  Composition:
    'patient|subject|attester.party,author|attester:r:attester.party author:r:author class:t:class confidentiality:t:confidentiality context:t:event.code date:d encounter:r:encounter entry:r:section.entry identifier:t:identifier patient:r:subject period:d related-id:t:relatesTo.targetIdentifier related-ref:r:relatesTo.targetReference section:t:section.code status:t:status subject:r:subject title:s type:t:type',
  ConceptMap:
    '|||date:d dependson:u description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s other:u product:u publisher:s source:r:sourceReference source-code:t:group.element.code source-system:u source-uri:r:sourceUri status:t:status target:r:targetReference target-code:t:group.element.target.code target-system:u target-uri:r:targetUri title:s url:u version:t:version',
  Condition:
    'patient|subject|asserter|abatement-age:q abatement-boolean:t:abatementDateTime abatement-date:d abatement-string:s asserted-date:d asserter:r:asserter body-site:t:bodySite category:t:category clinical-status:t:clinicalStatus code:t:code context:r:context encounter:r:context evidence:t:evidence.code evidence-detail:r:evidence.detail identifier:t:identifier onset-age:q onset-date:d onset-info:s patient:r:subject severity:t:severity stage:t:stage.summary subject:r:subject verification-status:t:verificationStatus',
  Consent:
    'patient|patient||action:t:action actor:r:actor.reference category:t:category consentor:r:consentingParty data:r:data.reference date:d identifier:t:identifier organization:r:organization patient:r:patient period:d purpose:t:purpose securitylabel:t:securityLabel source:r:sourceAttachment status:t:status',
  Contract:
    '|||agent:r:agent.actor authority:r:authority domain:r:domain identifier:t:identifier issued:d patient:r:subject signer:r:signer.party subject:r:subject term-topic:r:term.topic',
  Coverage:
    'beneficiary|beneficiary|payor,policyHolder,subscriber|beneficiary:r:beneficiary class:s dependent:s group:s identifier:t:identifier payor:r:payor plan:s policy-holder:r:policyHolder sequence:s subclass:s subgroup:s subplan:s subscriber:r:subscriber type:t:type',
  DataElement:
    '|||code:t:element.code date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s objectClass:t objectClassProperty:t publisher:s status:t:status stringency:t:stringency title:s url:u version:t:version',
  DetectedIssue:
    'patient|patient||author:r:author category:t:category date:d identifier:t:identifier implicated:r:implicated patient:r:patient',
  Device:
    '|||device-name:s identifier:t:identifier location:r:location manufacturer:s model:s organization:r:owner patient:r:patient status:t:status type:t:type udi-carrier:s udi-di:s url:u',
  DeviceComponent: '|||identifier:t:identifier parent:r:parent source:r:source type:t:type',
  DeviceMetric: '|||category:t:category identifier:t:identifier parent:r:parent source:r:source type:t:type',
  DeviceRequest:
    'patient|subject|performer,requester.agent|authored-on:d based-on:r:basedOn code:t:codeCodeableConcept definition:r:definition device:r:codeReference encounter:r:context event-date:d group-identifier:t:groupIdentifier identifier:t:identifier intent:t:intent patient:r:subject performer:r:performer priorrequest:r:priorRequest requester:r:requester.agent status:t:status subject:r:subject',
  DeviceUseStatement:
    'patient|subject||device:r:device identifier:t:identifier patient:r:subject subject:r:subject',
  DiagnosticReport:
    'patient|subject||based-on:r:basedOn category:t:category code:t:code context:r:context date:d diagnosis:t:codedDiagnosis encounter:r:context identifier:t:identifier image:r:image.link issued:d patient:r:subject performer:r:performer.actor result:r:result specimen:r:specimen status:t:status subject:r:subject',
  DocumentManifest:
    'patient|subject|author,recipient|author:r:author content-ref:r:content.pReference created:d description:s identifier:t:masterIdentifier patient:r:subject recipient:r:recipient related-id:t:related.identifier related-ref:r:related.ref source:u status:t:status subject:r:subject type:t:type',
  DocumentReference:
    'patient|subject|author|authenticator:r:authenticator author:r:author class:t:class created:d custodian:r:custodian description:s encounter:r:context.encounter event:t:context.event facility:t:context.facilityType format:t:content.format identifier:t:masterIdentifier indexed:d language:t:content.attachment.language location:u patient:r:subject period:d related-id:t:context.related.identifier related-ref:r:context.related.ref relatesto:r:relatesTo.target relation:t:relatesTo.code relationship:c securitylabel:t:securityLabel setting:t:context.practiceSetting status:t:status subject:r:subject type:t:type',
  EligibilityRequest:
    'patient|patient||created:d enterer:r:enterer facility:r:facility identifier:t:identifier organization:r:organization patient:r:patient provider:r:provider',
  EligibilityResponse:
    '|||created:d disposition:s identifier:t:identifier insurer:r:insurer outcome:t:outcome request:r:request request-organization:r:requestOrganization request-provider:r:requestProvider',
  Encounter:
    'patient|subject||appointment:r:appointment class:t:class date:d diagnosis:r:diagnosis.condition episodeofcare:r:episodeOfCare identifier:t:identifier incomingreferral:r:incomingReferral length:n location:r:location.location location-period:d part-of:r:partOf participant:r:participant.individual participant-type:t:participant.type patient:r:subject practitioner:r:participant.individual reason:t:reason service-provider:r:serviceProvider special-arrangement:t:hospitalization.specialArrangement status:t:status subject:r:subject type:t:type',
  Endpoint:
    '|||connection-type:t:connectionType identifier:t:identifier name:s organization:r:managingOrganization payload-type:t:payloadType status:t:status',
  EnrollmentRequest:
    'patient|subject||identifier:t:identifier organization:r:organization patient:r:subject subject:r:subject',
  EnrollmentResponse: '|||identifier:t:identifier organization:r:organization request:r:request',
  EpisodeOfCare:
    'patient|patient||care-manager:r:careManager condition:r:diagnosis.condition date:d identifier:t:identifier incomingreferral:r:referralRequest organization:r:managingOrganization patient:r:patient status:t:status type:t:type',
  ExpansionProfile:
    '|||date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status url:u version:t:version',
  ExplanationOfBenefit:
    'patient|patient|payee.party|care-team:r:careTeam.provider claim:r:claim coverage:r:insurance.coverage created:d disposition:s encounter:r:item.encounter enterer:r:enterer facility:r:facility identifier:t:identifier organization:r:organization patient:r:patient payee:r:payee.party provider:r:provider',
  FamilyMemberHistory:
    'patient|patient||code:t:condition.code date:d definition:r:definition gender:t:gender identifier:t:identifier patient:r:patient relationship:t:relationship status:t:status',
  Flag: 'patient|subject||author:r:author date:d encounter:r:encounter identifier:t:identifier patient:r:subject subject:r:subject',
  Goal: 'patient|subject||category:t:category identifier:t:identifier patient:r:subject start-date:d status:t:status subject:r:subject target-date:d',
  GraphDefinition:
    '|||date:d description:s jurisdiction:t:jurisdiction name:s publisher:s start:t:start status:t:status url:u version:t:version',
  Group:
    'member||member.entity|actual:t:actual characteristic:t:characteristic.code characteristic-value:c code:t:code exclude:t:characteristic.exclude identifier:t:identifier member:r:member.entity type:t:type value:t:characteristic.valueCodeableConcept',
  GuidanceResponse: '|||identifier:t:identifier patient:r:subject request:t:requestId subject:r:subject',
  HealthcareService:
    '|||active:t:active category:t:category characteristic:t:characteristic endpoint:r:endpoint identifier:t:identifier location:r:location name:s organization:r:providedBy programname:s type:t:type',
  ImagingManifest:
    'patient|patient|author|author:r:author authoring-time:d endpoint:r:study.endpoint identifier:t:identifier imaging-study:r:study.imagingStudy patient:r:patient selected-study:u',
  ImagingStudy:
    'patient|patient||accession:t:accession basedon:r:basedOn bodysite:t:series.bodySite context:r:context dicom-class:u endpoint:r:endpoint identifier:t:identifier modality:t:series.modality patient:r:patient performer:r:series.performer reason:t:reason series:u started:d study:u uid:u',
  Immunization:
    'patient|patient||date:d dose-sequence:n identifier:t:identifier location:r:location lot-number:s manufacturer:r:manufacturer notgiven:t:notGiven patient:r:patient practitioner:r:practitioner.actor reaction:r:reaction.detail reaction-date:d reason:t:explanation.reason reason-not-given:t:explanation.reasonNotGiven status:t:status vaccine-code:t:vaccineCode',
  ImmunizationRecommendation:
    'patient|patient||date:d dose-number:n dose-sequence:n identifier:t:identifier information:r:recommendation.supportingPatientInformation patient:r:patient status:t:recommendation.forecastStatus support:r:recommendation.supportingImmunization target-disease:t:recommendation.targetDisease vaccine-type:t:recommendation.vaccineCode',
  ImplementationGuide:
    '|||date:d dependency:u description:s experimental:t:experimental jurisdiction:t:jurisdiction name:s publisher:s resource:r:package.resource.sourceUri status:t:status url:u version:t:version',
  Library:
    '|||composed-of:r date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  Linkage: '|||author:r:author item:r:item.resource source:r:item.resource',
  List: 'patient|subject|source|code:t:code date:d empty-reason:t:emptyReason encounter:r:encounter identifier:t:identifier item:r:entry.item notes:s patient:r:subject source:r:source status:t:status subject:r:subject title:s',
  Location:
    '|||address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use endpoint:r:endpoint identifier:t:identifier name:s near:t:position near-distance:q operational-status:t:operationalStatus organization:r:managingOrganization partof:r:partOf status:t:status type:t:type',
  Measure:
    '|||composed-of:r date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  MeasureReport: 'patient|patient||identifier:t:identifier patient:r:patient status:t:status',
  Media:
    'patient|subject||based-on:r:basedOn context:r:context created:d date:d device:r:device identifier:t:identifier operator:r:operator patient:r:subject site:t:bodySite subject:r:subject subtype:t:subtype type:t:type view:t:view',
  Medication:
    '|||code:t:code container:t:package.container form:t:form ingredient:r:ingredient.itemReference ingredient-code:t:ingredient.itemCodeableConcept manufacturer:r:manufacturer over-the-counter:t:isOverTheCounter package-item:r:package.content.itemReference package-item-code:t:package.content.itemCodeableConcept status:t:status',
  MedicationAdministration:
    'patient|subject|performer.actor|code:t:medicationCodeableConcept context:r:context device:r:device effective-time:d identifier:t:identifier medication:r:medicationReference not-given:t:notGiven patient:r:subject performer:r:performer.actor prescription:r:prescription reason-given:t:reasonCode reason-not-given:t:reasonNotGiven status:t:status subject:r:subject',
  MedicationDispense:
    'patient|subject|receiver|code:t:medicationCodeableConcept context:r:context destination:r:destination identifier:t:identifier medication:r:medicationReference patient:r:subject performer:r:performer.actor prescription:r:authorizingPrescription receiver:r:receiver responsibleparty:r:substitution.responsibleParty status:t:status subject:r:subject type:t:type whenhandedover:d whenprepared:d',
  MedicationRequest:
    'patient|subject||authoredon:d category:t:category code:t:medicationCodeableConcept context:r:context date:d identifier:t:identifier intended-dispenser:r:dispenseRequest.performer intent:t:intent medication:r:medicationReference patient:r:subject priority:t:priority requester:r:requester.agent status:t:status subject:r:subject',
  MedicationStatement:
    'patient|subject||category:t:category code:t:medicationCodeableConcept context:r:context effective:d identifier:t:identifier medication:r:medicationReference part-of:r:partOf patient:r:subject source:r:informationSource status:t:status subject:r:subject',
  MessageDefinition:
    '|||category:t:category date:d description:s event:t:event focus:t:focus.code identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status title:s url:u version:t:version',
  MessageHeader:
    '|||author:r:author code:t:response.code destination:s destination-uri:u enterer:r:enterer event:t:event focus:r:focus receiver:r:receiver response-id:t:response.identifier responsible:r:responsible sender:r:sender source:s source-uri:u target:r:destination.target timestamp:d',
  NamingSystem:
    '|||contact:s date:d description:s id-type:t:uniqueId.type jurisdiction:t:jurisdiction kind:t:kind name:s period:d publisher:s replaced-by:r:replacedBy responsible:s status:t:status telecom:t:contact.telecom type:t:type value:s',
  NutritionOrder:
    'patient|patient||additive:t:enteralFormula.additiveType datetime:d encounter:r:encounter formula:t:enteralFormula.baseFormulaType identifier:t:identifier oraldiet:t:oralDiet.type patient:r:patient provider:r:orderer status:t:status supplement:t:supplement.type',
  Observation:
    'patient|subject|performer|based-on:r:basedOn category:t:category code:t:code code-value-concept:c code-value-date:c code-value-quantity:c code-value-string:c combo-code:t:code combo-code-value-concept:c combo-code-value-quantity:c combo-data-absent-reason:t:dataAbsentReason combo-value-concept:t:valueCodeableConcept combo-value-quantity:q component-code:t:component.code component-code-value-concept:c component-code-value-quantity:c component-data-absent-reason:t:component.dataAbsentReason component-value-concept:t:component.valueCodeableConcept component-value-quantity:q context:r:context data-absent-reason:t:dataAbsentReason date:d device:r:device encounter:r:context identifier:t:identifier method:t:method patient:r:subject performer:r:performer related:c related-target:r:related.target related-type:t:related.type specimen:r:specimen status:t:status subject:r:subject value-concept:t:valueCodeableConcept value-date:d value-quantity:q value-string:s',
  OperationDefinition:
    '|||base:r:base code:t:code date:d description:s instance:t:instance jurisdiction:t:jurisdiction kind:t:kind name:s param-profile:r:parameter.profile publisher:s status:t:status system:t:system type:t:type url:u version:t:version',
  OperationOutcome: '|||',
  Organization:
    '|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use endpoint:r:endpoint identifier:t:identifier name:s partof:r:partOf phonetic:s type:t:type',
  Patient:
    '_id|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use animal-breed:t:animal.breed animal-species:t:animal.species birthdate:d death-date:d deceased:t:deceasedBoolean email:t family:s gender:t:gender general-practitioner:r:generalPractitioner given:s identifier:t:identifier language:t:communication.language link:r:link.other name:s organization:r:managingOrganization phone:t phonetic:s telecom:t:telecom',
  PaymentNotice:
    '|||created:d identifier:t:identifier organization:r:organization payment-status:t:paymentStatus provider:r:provider request:r:request response:r:response statusdate:d',
  PaymentReconciliation:
    '|||created:d disposition:s identifier:t:identifier organization:r:organization outcome:t:outcome request:r:request request-organization:r:requestOrganization request-provider:r:requestProvider',
  Person:
    'patient||link.target|address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t birthdate:d email:t gender:t identifier:t:identifier link:r:link.target name:s organization:r:managingOrganization patient:r:link.target phone:t phonetic:s practitioner:r:link.target relatedperson:r:link.target telecom:t',
  PlanDefinition:
    '|||composed-of:r date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  Practitioner:
    '|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use communication:t:communication email:t family:s gender:t:gender given:s identifier:t:identifier name:s phone:t phonetic:s telecom:t',
  PractitionerRole:
    '|||active:t:active date:d email:t endpoint:r:endpoint identifier:t:identifier location:r:location organization:r:organization phone:t practitioner:r:practitioner role:t:code service:r:healthcareService specialty:t:specialty telecom:t:telecom',
  Procedure:
    'patient|subject|performer.actor|based-on:r:basedOn category:t:category code:t:code context:r:context date:d definition:r:definition encounter:r:context identifier:t:identifier location:r:location part-of:r:partOf patient:r:subject performer:r:performer.actor status:t:status subject:r:subject',
  ProcedureRequest:
    'patient|subject|performer|authored:d based-on:r:basedOn body-site:t:bodySite code:t:code context:r:context definition:r:definition encounter:r:context identifier:t:identifier intent:t:intent occurrence:d patient:r:subject performer:r:performer performer-type:t:performerType priority:t:priority replaces:r:replaces requester:r:requester.agent requisition:t:requisition specimen:r:specimen status:t:status subject:r:subject',
  ProcessRequest:
    '|||action:t:action identifier:t:identifier organization:r:organization provider:r:provider',
  ProcessResponse:
    '|||identifier:t:identifier organization:r:organization request:r:request request-organization:r:requestOrganization request-provider:r:requestProvider',
  Provenance:
    'patient||target|agent:r:agent.whoUri agent-role:t:agent.role end:d entity-id:t:entity.whatIdentifier entity-ref:r:entity.whatReference location:r:location patient:r:target recorded:d signature-type:t:signature.type start:d target:r:target',
  Questionnaire:
    '|||code:t:item.code date:d description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status title:s url:u version:t:version',
  QuestionnaireResponse:
    'patient|subject|author|author:r:author authored:d based-on:r:basedOn context:r:context identifier:t:identifier parent:r:parent patient:r:subject questionnaire:r:questionnaire source:r:source status:t:status subject:r:subject',
  ReferralRequest:
    'patient|subject|requester.agent|authored-on:d based-on:r:basedOn context:r:context definition:r:definition encounter:r:context group-identifier:t:groupIdentifier identifier:t:identifier intent:t:intent occurrence-date:d patient:r:subject priority:t:priority recipient:r:recipient replaces:r:replaces requester:r:requester.agent service:t:serviceRequested specialty:t:specialty status:t:status subject:r:subject type:t:type',
  RelatedPerson:
    'patient|patient||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use birthdate:d email:t gender:t:gender identifier:t:identifier name:s patient:r:patient phone:t phonetic:s telecom:t:telecom',
  RequestGroup:
    'patient|subject|action.participant|author:r:author authored:d context:r:context definition:r:definition encounter:r:context group-identifier:t:groupIdentifier identifier:t:identifier intent:t:intent participant:r:action.participant patient:r:subject priority:t:priority status:t:status subject:r:subject',
  ResearchStudy:
    '|||category:t:category date:d focus:t:focus identifier:t:identifier jurisdiction:t:jurisdiction keyword:t:keyword partof:r:partOf principalinvestigator:r:principalInvestigator protocol:r:protocol site:r:site sponsor:r:sponsor status:t:status title:s',
  ResearchSubject:
    'patient|individual||date:d identifier:t:identifier individual:r:individual patient:r:individual status:t:status',
  RiskAssessment:
    'patient|subject||condition:r:condition date:d encounter:r:context identifier:t:identifier method:t:method patient:r:subject performer:r:performer probability:n risk:t:prediction.qualitativeRisk subject:r:subject',
  Schedule: 'actor||actor|active:t:active actor:r:actor date:d identifier:t:identifier type:t:serviceType',
  SearchParameter:
    '|||base:t:base code:t:code component:r:component.definition date:d derived-from:u description:s jurisdiction:t:jurisdiction name:s publisher:s status:t:status target:t:target type:t:type url:u version:t:version',
  Sequence:
    '|||chromosome:t:referenceSeq.chromosome coordinate:c end:n identifier:t:identifier patient:r:patient start:n type:t:type',
  ServiceDefinition:
    '|||composed-of:r date:d depends-on:r derived-from:r description:s effective:d identifier:t:identifier jurisdiction:t:jurisdiction name:s predecessor:r publisher:s status:t:status successor:r title:s topic:t:topic url:u version:t:version',
  Slot: '|||identifier:t:identifier schedule:r:schedule slot-type:t:serviceType start:d status:t:status',
  Specimen:
    'patient|subject||accession:t:accessionIdentifier bodysite:t:collection.bodySite collected:d collector:r:collection.collector container:t:container.type container-id:t:container.identifier identifier:t:identifier parent:r:parent patient:r:subject status:t:status subject:r:subject type:t:type',
  StructureDefinition:
    '|||abstract:t:abstract base:u base-path:t:snapshot.element.base.path context-type:t:contextType date:d derivation:t:derivation description:s experimental:t:experimental ext-context:s identifier:t:identifier jurisdiction:t:jurisdiction keyword:t:keyword kind:t:kind name:s path:t:snapshot.element.path publisher:s status:t:status title:s type:t:type url:u valueset:r:snapshot.element.binding.valueSetUri version:t:version',
  StructureMap:
    '|||date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status title:s url:u version:t:version',
  Subscription:
    '|||add-tag:t:tag contact:t:contact criteria:s payload:s status:t:status type:t:channel.type url:u',
  Substance:
    '|||category:t:category code:t:code container-identifier:t:instance.identifier expiry:d identifier:t:identifier quantity:q status:t:status substance-reference:r:ingredient.substanceReference',
  SupplyDelivery:
    'patient|patient||identifier:t:identifier patient:r:patient receiver:r:receiver status:t:status supplier:r:supplier',
  SupplyRequest:
    'requester||requester.agent|category:t:category date:d identifier:t:identifier requester:r:requester.agent status:t:status supplier:r:supplier',
  Task: '|||authored-on:d based-on:r:basedOn business-status:t:businessStatus code:t:code context:r:context focus:r:focus group-identifier:t:groupIdentifier identifier:t:identifier intent:t:intent modified:d organization:r:requester.onBehalfOf owner:r:owner part-of:r:partOf patient:r:for performer:t:performerType period:d priority:t:priority requester:r:requester.agent status:t:status subject:r:for',
  TestReport:
    '|||identifier:t:identifier issued:d participant:u result:t:result tester:s testscript:r:testScript',
  TestScript:
    '|||date:d description:s identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s status:t:status testscript-capability:s title:s url:u version:t:version',
  ValueSet:
    '|||date:d description:s expansion:u identifier:t:identifier jurisdiction:t:jurisdiction name:s publisher:s reference:u status:t:status title:s url:u version:t:version',
  VisionPrescription:
    'patient|patient||datewritten:d encounter:r:encounter identifier:t:identifier patient:r:patient prescriber:r:prescriber',
};

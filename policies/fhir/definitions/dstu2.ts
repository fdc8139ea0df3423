// Written by scripts/fhir-definitions.ts from HL7's published definitions (CC0); not edited by hand.
/** Type: narrowing parameter | elements of the subject | other elements that link to a patient | `name:kind[:paths]` … */
export const DSTU2: Readonly<Record<string, string>> = {
  Account:
    'patient|subject||balance:q identifier:t:identifier name:s owner:r:owner patient:r:subject period:d status:t:status subject:r:subject type:t:type',
  AllergyIntolerance:
    'patient|patient|recorder,reporter|category:t:category criticality:t:criticality date:d identifier:t:identifier last-date:d manifestation:t:reaction.manifestation onset:d patient:r:patient recorder:r:recorder reporter:r:reporter route:t:reaction.exposureRoute severity:t:reaction.severity status:t:status substance:t:substance type:t:type',
  Appointment:
    'patient||participant.actor|actor:r:participant.actor date:d identifier:t:identifier location:r:participant.actor part-status:t:participant.status patient:r:participant.actor practitioner:r:participant.actor status:t:status',
  AppointmentResponse:
    'patient||actor|actor:r:actor appointment:r:appointment identifier:t:identifier location:r:actor part-status:t:participantStatus patient:r:actor practitioner:r:actor',
  AuditEvent:
    'patient||participant.reference,object.reference|action:t:event.action address:t:participant.network.address altid:t:participant.altId date:d desc:s identity:t:object.identifier name:s object-type:t:object.type participant:r:participant.reference patient:r:participant.reference policy:u reference:r:object.reference site:t:source.site source:t:source.identifier subtype:t:event.subtype type:t:event.type user:t:participant.userId',
  Basic:
    'patient|subject|author|author:r:author code:t:code created:d identifier:t:identifier patient:r:subject subject:r:subject',
  Binary: '|||contenttype:t:contentType',
  BodySite: 'patient|patient||code:t:code identifier:t:identifier patient:r:patient',
  Bundle: '|||composition:r message:r type:t:type',
  CarePlan:
    'patient|subject|participant.member,activity.detail.performer|activitycode:t:activity.detail.code activitydate:d activityreference:r:activity.reference condition:r:addresses date:d goal:r:goal participant:r:participant.member patient:r:subject performer:r:activity.detail.performer related:c relatedcode:t:relatedPlan.code relatedplan:r:relatedPlan.plan subject:r:subject',
  Claim:
    'patient|patient||identifier:t:identifier patient:r:patient priority:t:priority provider:r:provider use:t:use',
  ClaimResponse: '|||identifier:t:identifier',
  ClinicalImpression:
    'patient|patient||action:r:action assessor:r:assessor date:d finding:t:finding.item investigation:r:investigations.item patient:r:patient plan:r:plan previous:r:previous problem:r:problem resolved:t:resolved ruledout:t:ruledOut.item status:t:status trigger:r:triggerReference trigger-code:t:triggerCodeableConcept',
  Communication:
    'patient|subject|recipient,sender|category:t:category encounter:r:encounter identifier:t:identifier medium:t:medium patient:r:subject received:d recipient:r:recipient request:r:requestDetail sender:r:sender sent:d status:t:status subject:r:subject',
  CommunicationRequest:
    'patient|subject|recipient,requester,sender|category:t:category encounter:r:encounter identifier:t:identifier medium:t:medium patient:r:subject priority:t:priority recipient:r:recipient requested:d requester:r:requester sender:r:sender status:t:status subject:r:subject time:d',
  Composition:
    'patient|subject|attester.party,author|attester:r:attester.party author:r:author class:t:class confidentiality:t:confidentiality context:t:event.code date:d encounter:r:encounter entry:r:section.entry identifier:t:identifier patient:r:subject period:d section:t:section.code status:t:status subject:r:subject title:s type:t:type',
  ConceptMap:
    '|||context:t:useContext date:d dependson:u description:s identifier:t:identifier name:s product:u publisher:s source:r:sourceReference sourcecode:t:element.code sourcesystem:u sourceuri:r:sourceUri status:t:status target:r:targetUri targetcode:t:element.target.code targetsystem:u url:u version:t:version',
  Condition:
    'patient|patient|asserter|age:n asserter:r:asserter body-site:t:bodySite category:t:category clinicalstatus:t:clinicalStatus code:t:code date-recorded:d encounter:r:encounter evidence:t:evidence.code identifier:t:identifier onset:d onset-info:s patient:r:patient severity:t:severity stage:t:stage.summary',
  Conformance:
    '|||date:d description:s event:t:messaging.event.code fhirversion:t:version format:t:format mode:t:rest.mode name:s profile:r:rest.resource.profile publisher:s resource:t:rest.resource.type security:t:rest.security.service software:s status:t:status supported-profile:r:profile url:u version:t:version',
  Contract:
    '|||actor:r:actor.entity identifier:t:identifier patient:r:subject signer:r:signer.party subject:r:subject',
  Coverage:
    '|||dependent:t:dependent group:t:group identifier:t:identifier issuer:r:issuer plan:t:plan sequence:t:sequence subplan:t:subPlan type:t:type',
  DataElement:
    '|||code:t:element.code context:t:useContext date:d description:s identifier:t:identifier name:s objectClass:t objectClassProperty:t publisher:s status:t:status stringency:t:stringency url:u version:s',
  DetectedIssue:
    'patient|patient||author:r:author category:t:category date:d identifier:t:identifier implicated:r:implicated patient:r:patient',
  Device:
    '|||identifier:t:identifier location:r:location manufacturer:s model:s organization:r:owner patient:r:patient type:t:type udi:s url:u',
  DeviceComponent: '|||parent:r:parent source:r:source type:t:type',
  DeviceMetric: '|||category:t:category identifier:t:identifier parent:r:parent source:r:source type:t:type',
  DeviceUseRequest: 'patient|subject||device:r:device patient:r:subject subject:r:subject',
  DeviceUseStatement: 'patient|subject||device:r:device patient:r:subject subject:r:subject',
  DiagnosticOrder:
    'patient|subject||actor:r:event.actor bodysite:t:item.bodySite code:t:item.code encounter:r:encounter event-date:d event-status:t:event.status event-status-date:c identifier:t:identifier item-date:d item-past-status:t:item.event.status item-status:t:item.status item-status-date:c orderer:r:orderer patient:r:subject specimen:r:specimen status:t:status subject:r:subject',
  DiagnosticReport:
    'patient|subject||category:t:category code:t:code date:d diagnosis:t:codedDiagnosis encounter:r:encounter identifier:t:identifier image:r:image.link issued:d patient:r:subject performer:r:performer request:r:request result:r:result specimen:r:specimen status:t:status subject:r:subject',
  DocumentManifest:
    'patient|subject|author,recipient|author:r:author content-ref:r:content.pReference created:d description:s identifier:t:masterIdentifier patient:r:subject recipient:r:recipient related-id:t:related.identifier related-ref:r:related.ref source:u status:t:status subject:r:subject type:t:type',
  DocumentReference:
    'patient|subject|author|authenticator:r:authenticator author:r:author class:t:class created:d custodian:r:custodian description:s encounter:r:context.encounter event:t:context.event facility:t:context.facilityType format:t:content.format identifier:t:masterIdentifier indexed:d language:t:content.attachment.language location:u patient:r:subject period:d related-id:t:context.related.identifier related-ref:r:context.related.ref relatesto:r:relatesTo.target relation:t:relatesTo.code relationship:c securitylabel:t:securityLabel setting:t:context.practiceSetting status:t:status subject:r:subject type:t:type',
  EligibilityRequest: '|||identifier:t:identifier',
  EligibilityResponse: '|||identifier:t:identifier',
  Encounter:
    'patient|patient||appointment:r:appointment condition:r:indication date:d episodeofcare:r:episodeOfCare identifier:t:identifier incomingreferral:r:incomingReferral indication:r:indication length:n location:r:location.location location-period:d part-of:r:partOf participant:r:participant.individual participant-type:t:participant.type patient:r:patient practitioner:r:participant.individual procedure:r:indication reason:t:reason special-arrangement:t:hospitalization.specialArrangement status:t:status type:t:type',
  EnrollmentRequest: 'patient|subject||identifier:t:identifier patient:r:subject subject:r:subject',
  EnrollmentResponse: '|||identifier:t:identifier',
  EpisodeOfCare:
    'patient|patient||care-manager:r:careManager condition:r:condition date:d identifier:t:identifier incomingreferral:r:referralRequest organization:r:managingOrganization patient:r:patient status:t:status team-member:r:careTeam.member type:t:type',
  ExplanationOfBenefit: '|||identifier:t:identifier',
  FamilyMemberHistory:
    'patient|patient||code:t:condition.code condition:t date:d gender:t:gender identifier:t:identifier patient:r:patient relationship:t:relationship',
  Flag: 'patient|subject||author:r:author date:d encounter:r:encounter patient:r:subject subject:r:subject',
  Goal: 'patient|subject||category:t:category identifier:t:identifier patient:r:subject status:t:status subject:r:subject targetdate:d',
  Group:
    'member||member.entity|actual:t:actual characteristic:t:characteristic.code characteristic-value:c code:t:code exclude:t:characteristic.exclude identifier:t:identifier member:r:member.entity type:t:type value:t:characteristic.valueCodeableConcept',
  HealthcareService:
    '|||characteristic:t:characteristic identifier:t:identifier location:r:location name:s organization:r:providedBy programname:s servicecategory:t:serviceCategory servicetype:t:serviceType.type',
  ImagingObjectSelection:
    'patient|patient|author|author:r:author authoring-time:d identifier:u patient:r:patient selected-study:u title:t:title',
  ImagingStudy:
    'patient|patient||accession:t:accession bodysite:t:series.bodySite dicom-class:u modality:t:series.modality order:r:order patient:r:patient series:u started:d study:u uid:u',
  Immunization:
    'patient|patient||date:d dose-sequence:n identifier:t:identifier location:r:location lot-number:s manufacturer:r:manufacturer notgiven:t:wasNotGiven patient:r:patient performer:r:performer reaction:r:reaction.detail reaction-date:d reason:t:explanation.reason reason-not-given:t:explanation.reasonNotGiven requester:r:requester status:t:status vaccine-code:t:vaccineCode',
  ImmunizationRecommendation:
    'patient|patient||date:d dose-number:n dose-sequence:n identifier:t:identifier information:r:recommendation.supportingPatientInformation patient:r:patient status:t:recommendation.forecastStatus support:r:recommendation.supportingImmunization vaccine-type:t:recommendation.vaccineCode',
  ImplementationGuide:
    '|||context:t:useContext date:d dependency:u description:s experimental:t:experimental name:s publisher:s status:t:status url:u version:t:version',
  List: 'patient|subject|source|code:t:code date:d empty-reason:t:emptyReason encounter:r:encounter item:r:entry.item notes:s patient:r:subject source:r:source status:t:status subject:r:subject title:s',
  Location:
    '|||address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use identifier:t:identifier name:s near:t:position near-distance:t:position organization:r:managingOrganization partof:r:partOf status:t:status type:t:type',
  Media:
    'patient|subject||created:d identifier:t:identifier operator:r:operator patient:r:subject subject:r:subject subtype:t:subtype type:t:type view:t:view',
  Medication:
    '|||code:t:code container:t:package.container content:r:package.content.item form:t:product.form ingredient:r:product.ingredient.item manufacturer:r:manufacturer',
  MedicationAdministration:
    'patient|patient||code:t:medicationCodeableConcept device:r:device effectivetime:d encounter:r:encounter identifier:t:identifier medication:r:medicationReference notgiven:t:wasNotGiven patient:r:patient practitioner:r:practitioner prescription:r:prescription status:t:status',
  MedicationDispense:
    'patient|patient||code:t:medicationCodeableConcept destination:r:destination dispenser:r:dispenser identifier:t:identifier medication:r:medicationReference patient:r:patient prescription:r:authorizingPrescription receiver:r:receiver responsibleparty:r:substitution.responsibleParty status:t:status type:t:type whenhandedover:d whenprepared:d',
  MedicationOrder:
    'patient|patient||code:t:medicationCodeableConcept datewritten:d encounter:r:encounter identifier:t:identifier medication:r:medicationReference patient:r:patient prescriber:r:prescriber status:t:status',
  MedicationStatement:
    'patient|patient|informationSource|code:t:medicationCodeableConcept effectivedate:d identifier:t:identifier medication:r:medicationReference patient:r:patient source:r:informationSource status:t:status',
  MessageHeader:
    '|||author:r:author code:t:response.code data:r:data destination:s destination-uri:u enterer:r:enterer event:t:event receiver:r:receiver response-id:t:response.identifier responsible:r:responsible source:s source-uri:u target:r:destination.target timestamp:d',
  NamingSystem:
    '|||contact:s context:t:useContext date:d id-type:t:uniqueId.type kind:t:kind name:s period:d publisher:s replaced-by:r:replacedBy responsible:s status:t:status telecom:t:contact.telecom type:t:type value:s',
  NutritionOrder:
    'patient|patient||additive:t:enteralFormula.additiveType datetime:d encounter:r:encounter formula:t:enteralFormula.baseFormulaType identifier:t:identifier oraldiet:t:oralDiet.type patient:r:patient provider:r:orderer status:t:status supplement:t:supplement.type',
  Observation:
    'patient|subject|performer|category:t:category code:t:code component-code:t:component.code component-data-absent-reason:t:component.dataAbsentReason component-value-concept:t:component.valueCodeableConcept component-value-quantity:q component-value-string:s data-absent-reason:t:dataAbsentReason date:d device:r:device encounter:r:encounter identifier:t:identifier patient:r:subject performer:r:performer related:c related-target:r:related.target related-type:t:related.type specimen:r:specimen status:t:status subject:r:subject value-concept:t:valueCodeableConcept value-date:d value-quantity:q value-string:s',
  OperationDefinition:
    '|||base:r:base code:t:code date:d instance:t:instance kind:t:kind name:s profile:r:parameter.profile publisher:s status:t:status system:t:system type:t:type url:u version:t:version',
  OperationOutcome: '|||',
  Order:
    'patient|subject||date:d detail:r:detail identifier:t:identifier patient:r:subject source:r:source subject:r:subject target:r:target when:d when_code:t:when.code',
  OrderResponse:
    '|||code:t:orderStatus date:d fulfillment:r:fulfillment identifier:t:identifier request:r:request who:r:who',
  Organization:
    '|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use identifier:t:identifier name:s partof:r:partOf phonetic:s type:t:type',
  Patient:
    '_id|||active:t:active address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use animal-breed:t:animal.breed animal-species:t:animal.species birthdate:d careprovider:r:careProvider deathdate:d deceased:t:deceasedBoolean email:t ethnicity:t family:s gender:t:gender given:s identifier:t:identifier language:t:communication.language link:r:link.other name:s organization:r:managingOrganization phone:t phonetic:s race:t telecom:t:telecom',
  PaymentNotice: '|||identifier:t:identifier',
  PaymentReconciliation: '|||identifier:t:identifier',
  Person:
    'patient||link.target|address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use birthdate:d email:t gender:t:gender identifier:t:identifier link:r:link.target name:s organization:r:managingOrganization patient:r:link.target phone:t phonetic:s practitioner:r:link.target relatedperson:r:link.target telecom:t:telecom',
  Practitioner:
    '|||address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use communication:t:communication email:t family:s gender:t:gender given:s identifier:t:identifier location:r:practitionerRole.location name:s organization:r:practitionerRole.managingOrganization phone:t phonetic:s role:t:practitionerRole.role specialty:t:practitionerRole.specialty telecom:t:telecom',
  Procedure:
    'patient|subject|performer.actor|code:t:code date:d encounter:r:encounter identifier:t:identifier location:r:location patient:r:subject performer:r:performer.actor subject:r:subject',
  ProcedureRequest:
    'patient|subject|orderer,performer|encounter:r:encounter identifier:t:identifier orderer:r:orderer patient:r:subject performer:r:performer subject:r:subject',
  ProcessRequest:
    '|||action:t:action identifier:t:identifier organization:r:organization provider:r:provider',
  ProcessResponse:
    '|||identifier:t:identifier organization:r:organization request:r:request requestorganization:r:requestOrganization requestprovider:r:requestProvider',
  Provenance:
    'patient||target|agent:r:agent.actor end:d entity:u entitytype:t:entity.type location:r:location patient:r:target sigtype:t:signature.type start:d target:r:target userid:t:agent.userId',
  Questionnaire:
    '|||code:t:group.concept date:d identifier:t:identifier publisher:s status:t:status title:s version:s',
  QuestionnaireResponse:
    'patient|subject|author|author:r:author authored:d encounter:r:encounter patient:r:subject questionnaire:r:questionnaire source:r:source status:t:status subject:r:subject',
  ReferralRequest:
    'patient|patient|requester|date:d patient:r:patient priority:t:priority recipient:r:recipient requester:r:requester specialty:t:specialty status:t:status type:t:type',
  RelatedPerson:
    'patient|patient||address:s address-city:s address-country:s address-postalcode:s address-state:s address-use:t:address.use birthdate:d email:t gender:t:gender identifier:t:identifier name:s patient:r:patient phone:t phonetic:s telecom:t:telecom',
  RiskAssessment:
    'patient|subject||condition:r:condition date:d encounter:r:encounter identifier:t:identifier method:t:method patient:r:subject performer:r:performer subject:r:subject',
  Schedule: 'actor||actor|actor:r:actor date:d identifier:t:identifier type:t:type',
  SearchParameter: '|||base:t:base code:t:code description:s name:s target:t:target type:t:type url:u',
  Slot: '|||fb-type:t:freeBusyType identifier:t:identifier schedule:r:schedule slot-type:t:type start:d',
  Specimen:
    'patient|subject||accession:t:accessionIdentifier bodysite:t:collection.bodySite collected:d collector:r:collection.collector container:t:container.type container-id:t:container.identifier identifier:t:identifier parent:r:parent patient:r:subject subject:r:subject type:t:type',
  StructureDefinition:
    '|||abstract:t:abstract base:u base-path:t:snapshot.element.base.path code:t:code context:t:useContext context-type:t:contextType date:d description:s display:s experimental:t:experimental ext-context:s identifier:t:identifier kind:t:kind name:s path:t:snapshot.element.path publisher:s status:t:status type:t:constrainedType url:u valueset:r:snapshot.element.binding.valueSetUri version:t:version',
  Subscription:
    '|||contact:t:contact criteria:s payload:s status:t:status tag:t:tag type:t:channel.type url:u',
  Substance:
    '|||category:t:category code:t:code container-identifier:t:instance.identifier expiry:d identifier:t:identifier quantity:q substance:r:ingredient.substance',
  SupplyDelivery:
    'patient|patient||identifier:t:identifier patient:r:patient receiver:r:receiver status:t:status supplier:r:supplier',
  SupplyRequest:
    'patient|patient||date:d identifier:t:identifier kind:t:kind patient:r:patient source:r:source status:t:status supplier:r:supplier',
  TestScript:
    '|||description:s identifier:t:identifier name:s testscript-capability:s testscript-setup-capability:s testscript-test-capability:s url:u',
  ValueSet:
    '|||code:t:codeSystem.concept.code context:t:useContext date:d description:s expansion:u identifier:t:identifier name:s publisher:s reference:u status:t:status system:u url:u version:t:version',
  VisionPrescription:
    'patient|patient||datewritten:d encounter:r:encounter identifier:t:identifier patient:r:patient prescriber:r:prescriber',
};
